"""The first bottleneck: which shared resource is fullest at a scale, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scripts.scaling.figures import Figures, service_seconds
from scripts.scaling.sizing import CORES_A_SERVICE, Targets

# PostgreSQL's default.
_MAX_CONNECTIONS: Final = 100
# A usual network card of a balancer, of which it can fill seven tenths.
_BALANCER_BITS: Final = 0.7 * 10e9
_DATABASE_CORES: Final = 16


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that all services share.

    Attributes:
        name: in words.
        capacity: matches a second.
        remedy: what to do when it is full.
    """

    name: str
    capacity: float
    remedy: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A number of cores at the target utilisation.

    Attributes:
        cores: of the services.
        rate: matches a second.
        shares: each shared resource with the share of its capacity that the load takes; above 1: it is full.
        first: the resource that fills first as the load grows: the cores themselves while no share is above 1.
    """

    cores: int
    rate: float
    shares: tuple[tuple[Resource, float], ...]
    first: Resource


def shared_resources(figures: Figures, pack_name: str, targets: Targets) -> tuple[Resource, ...]:
    """The resources that services on any number of machines share, the least capacity first.

    Raises:
        FiguresError: the figures lack the pack, or PostgreSQL with one key.
    """
    database = figures.database("postgresql")
    service = service_seconds(figures.pack(pack_name), CORES_A_SERVICE)
    rate_a_service = targets.utilisation * CORES_A_SERVICE * len(service) / sum(service)
    bytes_a_match = max(figures.request_bytes, figures.reply_bytes)
    resources = (
        Resource(
            "connections of PostgreSQL (100 by default)",
            _MAX_CONNECTIONS / max(database.connections, 1) * rate_a_service,
            "raise `max_connections`, or put PgBouncer between",
        ),
        Resource(
            "the counter of one API key in PostgreSQL",
            database.most(1),
            "give each branch, app or region a key of its own",
        ),
        Resource(
            "PostgreSQL on 16 cores",
            targets.utilisation * _DATABASE_CORES * 1000.0 / database.server_cpu_ms,
            "several databases, the keys divided among them",
        ),
        Resource(
            "one balancer with 10 Gbit/s",
            _BALANCER_BITS / 8.0 / bytes_a_match,
            "multipart instead of base64, photos of 1 megapixel; then several balancers by DNS or anycast",
        ),
    )
    return tuple(sorted(resources, key=lambda resource: resource.capacity))


def at_scale(cores: int, figures: Figures, pack_name: str, targets: Targets) -> Scale:
    """What is full where so many cores work at the target utilisation."""
    service = service_seconds(figures.pack(pack_name), CORES_A_SERVICE)
    rate = targets.utilisation * cores * len(service) / sum(service)
    shares = tuple((one, rate / one.capacity) for one in shared_resources(figures, pack_name, targets))
    first, share = max(shares, key=lambda pair: pair[1])
    cpu = Resource("the cores", rate / targets.utilisation, "more cores")
    return Scale(cores, rate, shares, first if share > 1.0 else cpu)
