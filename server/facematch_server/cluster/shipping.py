"""What replicas get of the settings, and what they refuse.

The address of the database has a password, and whoever reaches a Ray cluster can read what programs pass to their
replicas. So it stays out: each node has it in its own environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from facematch_local.errors import FacematchError
from facematch_server.settings import Settings

_OWN: Final = frozenset({"database_url", "data_dir"})
DATABASE: Final = "FACEMATCH_DATABASE_URL"


def shipped(settings: Settings) -> dict[str, Any]:
    """The settings that replicas get, as arguments of `Settings`; neither the database nor the files of TLS."""
    left_out = _OWN | {"tls_cert", "tls_key"}
    values = {name: value for name, value in settings.model_dump().items() if name not in left_out}
    # Several replicas may share the CPUs of a node, so 0 cannot stand for all of them.
    return values | {"threads": threads_of(settings)}


def threads_of(settings: Settings) -> int:
    """Threads and CPUs of a replica."""
    return settings.threads or 1


def received(values: Mapping[str, Any], shared: bool) -> Settings:
    """The settings of a replica: what it was sent, and the database of its node's environment.

    Args:
        values: as `shipped` gave them.
        shared: the cluster may have several nodes.

    Raises:
        FacematchError: the node has no database that nodes can share.
    """
    settings = Settings(**values)
    if shared:
        require_shared_database(settings, f"on this node ({os.uname().nodename})")
    return settings


def require_shared_database(settings: Settings, where: str = "") -> None:
    """Refuse a database in a file: replicas on other nodes would count in files of their own.

    Raises:
        FacematchError: the database is not PostgreSQL.
    """
    if not settings.store_url.startswith("postgresql"):
        place = f" {where}" if where else ""
        raise FacematchError(
            f"replicas of a cluster share keys and quotas in PostgreSQL, and {DATABASE} names none{place}; set it on "
            "every node before `ray start`"
        )


def require_possible(settings: Settings) -> None:
    """Refuse settings that Ray's HTTP proxy cannot keep.

    Raises:
        FacematchError: one is set.
    """
    if settings.port == 0:
        raise FacematchError("FACEMATCH_PORT: Ray Serve cannot choose a free port; name one")
    if settings.workers > 1:
        raise FacematchError("FACEMATCH_WORKERS: on Ray the replicas take the place of workers; use --replicas")
    if settings.internal_port is not None:
        raise FacematchError(
            "FACEMATCH_INTERNAL_PORT: Ray Serve has one port; keep `/metrics`, `/docs` and `/v1/compare` from clients "
            "with the proxy in front"
        )
