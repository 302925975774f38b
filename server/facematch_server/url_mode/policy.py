"""The hosts, addresses and ports that the url mode may reach.

Two questions decide: the kind of an address (a fact, from IANA's special-purpose registries, RFC 6890 and its
successors), and the kinds that the policy opens. The first is asked about the address of the connection itself.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

from facematch_local.errors import FacematchError
from facematch_server.url_mode.urls import MalformedUrlError, WebUrl, parse

PolicyMode = Literal["auto", "public", "any", "off"]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class UrlPolicyError(FacematchError):
    """The mode is unknown, or an entry of `FACEMATCH_URL_ALLOW` is not a host, address or network."""


class AddressKind(StrEnum):
    """The purpose of an address."""

    PUBLIC = "public"
    LOOPBACK = "loopback"
    PRIVATE = "private"
    LINK_LOCAL = "link-local"
    METADATA = "metadata"
    RESERVED = "reserved"


# Metadata services. Their numbers are public, private or reserved, but the cloud of the machine answers there, with the
# machine's credentials.
_METADATA: Final = (
    "169.254.169.254/32",  # AWS, Azure, Google Cloud, OpenStack ...
    "169.254.170.2/32",  # AWS, for containers
    "100.100.100.200/32",  # Alibaba Cloud
    "168.63.129.16/32",  # Azure's host
    "192.0.0.192/32",  # Oracle Cloud
    "fd00:ec2::/32",  # AWS
    "fd20:ce::254/128",  # Google Cloud
    "fd00:42::42/128",  # Scaleway
)
_METADATA_NAMES: Final = frozenset(
    {"metadata", "instance-data", "metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"}
)

_SPECIAL: Final[tuple[tuple[str, AddressKind], ...]] = (
    *((network, AddressKind.METADATA) for network in _METADATA),
    ("127.0.0.0/8", AddressKind.LOOPBACK),
    ("10.0.0.0/8", AddressKind.PRIVATE),
    ("172.16.0.0/12", AddressKind.PRIVATE),
    ("192.168.0.0/16", AddressKind.PRIVATE),
    ("169.254.0.0/16", AddressKind.LINK_LOCAL),
    ("0.0.0.0/8", AddressKind.RESERVED),  # "this host": Linux connects to itself
    ("100.64.0.0/10", AddressKind.RESERVED),  # carrier-grade NAT
    ("192.0.0.0/24", AddressKind.RESERVED),
    ("192.0.2.0/24", AddressKind.RESERVED),
    ("192.88.99.0/24", AddressKind.RESERVED),  # 6to4 relays
    ("198.18.0.0/15", AddressKind.RESERVED),  # benchmarks
    ("198.51.100.0/24", AddressKind.RESERVED),
    ("203.0.113.0/24", AddressKind.RESERVED),
    ("224.0.0.0/3", AddressKind.RESERVED),  # multicast, future use, broadcast
    ("::1/128", AddressKind.LOOPBACK),
    ("fc00::/7", AddressKind.PRIVATE),
    ("fe80::/10", AddressKind.LINK_LOCAL),
    ("2001::/23", AddressKind.RESERVED),  # IETF protocols; holds Teredo, which wraps an IPv4 address
    ("2001:db8::/32", AddressKind.RESERVED),
    ("2002::/16", AddressKind.RESERVED),  # 6to4, wraps an IPv4 address
    ("3fff::/20", AddressKind.RESERVED),
    ("2000::/3", AddressKind.PUBLIC),
    ("::/0", AddressKind.RESERVED),  # everything but global unicast, IPv4-compatible and local NAT64 included
    ("0.0.0.0/0", AddressKind.PUBLIC),
)
_TABLE: Final = tuple((ipaddress.ip_network(network), kind) for network, kind in _SPECIAL)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

_OPEN: Final[dict[tuple[str, bool], frozenset[AddressKind]]] = {
    ("off", False): frozenset(),
    ("off", True): frozenset(),
    ("public", False): frozenset({AddressKind.PUBLIC}),
    ("public", True): frozenset({AddressKind.PUBLIC}),
    ("auto", False): frozenset({AddressKind.PUBLIC}),
    # A client of a service that listens on loopback is on this machine and can reach these itself.
    ("auto", True): frozenset({AddressKind.PUBLIC, AddressKind.LOOPBACK, AddressKind.PRIVATE}),
    ("any", False): frozenset(AddressKind),
    ("any", True): frozenset(AddressKind),
}
_NEVER_BY_ALLOWANCE: Final = frozenset({AddressKind.LINK_LOCAL, AddressKind.METADATA})

# Below 1024, photo stores use these ports only. Above, they use any port (MinIO 9000, proxies 3128, 8080 ...) but those
# of other protocols: the ports that browsers block (Fetch standard, "port blocking"), and those of databases and
# control planes.
_LOW_PORTS: Final = frozenset({80, 443})
_BLOCKED_PORTS: Final = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6679, 6697, 10080}
    | set(range(6665, 6670))
    | {1433, 1521, 2375, 2376, 2379, 2380, 3306, 3389, 5432, 5672, 6379, 6443, 9200, 9300, 10250, 11211, 27017}
)


def kind_of(address: str | Address) -> AddressKind:
    """The purpose of an address. An IPv6 address that wraps an IPv4 address counts as the latter.

    Raises:
        ValueError: not an address.
    """
    parsed = _unwrapped(ipaddress.ip_address(address))
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed in _NAT64:
            wrapped = kind_of(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF))
            # Behind a NAT64 gateway, "private" is the gateway's network, not this one.
            return wrapped if wrapped in (AddressKind.PUBLIC, *_NEVER_BY_ALLOWANCE) else AddressKind.RESERVED
        if (int(parsed) >> 32) & 0xFDFFFFFF == 0x00005EFE:  # ISATAP wraps an IPv4 address
            return AddressKind.RESERVED
    return next(kind for network, kind in _TABLE if parsed in network)


@dataclass(frozen=True, slots=True)
class Allowance:
    """One entry of `FACEMATCH_URL_ALLOW`.

    Attributes:
        host: a DNS name; None for a network.
        network: addresses; None for a name.
        port: the only port that it opens; None for every usual port.
    """

    host: str | None
    network: Network | None
    port: int | None

    def covers(self, host: str, address: Address, port: int) -> bool:
        """Whether the entry allows a connection."""
        named = self.host is not None and self.host == host
        inside = self.network is not None and address in self.network
        return (named or inside) and (_usual(port) if self.port is None else self.port == port)


@dataclass(frozen=True, slots=True)
class UrlPolicy:
    """The addresses that the url mode may reach.

    Attributes:
        mode: `public` for public addresses; `auto` for those and, if `loopback_only`, loopback and private ones; `any`
            for all; `off` for none.
        allow: allowed in addition to `mode`: `host`, `host:port`, `address`, `address:port`, `network/length`.
            Link-local and metadata addresses stay closed; only `any` opens them.
        loopback_only: whether only programs of this machine can reach the service.

    Raises:
        UrlPolicyError: unknown mode, or an entry of `allow` that cannot be read.
    """

    mode: PolicyMode
    allow: tuple[str, ...] = ()
    loopback_only: bool = False
    _allowances: tuple[Allowance, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (self.mode, self.loopback_only) not in _OPEN:
            raise UrlPolicyError(f"the URL policy {self.mode!r} is not one of auto, public, any, off")
        object.__setattr__(self, "_allowances", tuple(_allowance(entry) for entry in self.allow))

    def refusal(self, url: WebUrl) -> str | None:
        """Why a URL is refused before its host is looked up; None if it is not."""
        if self.mode == "any":
            return None
        named = any(entry.host == url.host for entry in self._allowances)
        if self.mode == "off" and not named and all(entry.network is None for entry in self._allowances):
            return "the url mode is off"
        if url.host in _METADATA_NAMES and not named:
            return "a metadata service is not allowed by the URL policy"
        if not _usual(url.port) and all(entry.port != url.port for entry in self._allowances):
            return f"port {url.port} is not allowed by the URL policy"
        return None

    def permits(self, host: str, port: int, address: str) -> bool:
        """Whether a connection to `address`, an address of `host`, is permitted.

        Raises:
            ValueError: `address` is not an IP address.
        """
        parsed = _unwrapped(ipaddress.ip_address(address))
        kind = kind_of(parsed)
        if self.mode == "any":
            return True
        if kind in _NEVER_BY_ALLOWANCE:
            return False
        if any(entry.covers(host, parsed, port) for entry in self._allowances):
            return True
        return kind in _OPEN[self.mode, self.loopback_only] and _usual(port)


def _usual(port: int) -> bool:
    return port in _LOW_PORTS or (port >= 1024 and port not in _BLOCKED_PORTS)


def _unwrapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _allowance(entry: str) -> Allowance:
    try:
        return Allowance(None, ipaddress.ip_network(entry.strip("[]"), strict=False), None)
    except ValueError:
        pass
    try:
        url = parse(f"http://{entry}")
    except MalformedUrlError:
        url = None
    _, _, port = entry.rpartition(":")
    if url is None or url.target != "/" or "/" in entry:
        raise UrlPolicyError(f"{entry!r} is not a host, host:port, address or network that URLs can be allowed for")
    explicit = url.port if port.isdigit() and ":" in entry else None
    try:
        return Allowance(None, ipaddress.ip_network(url.host), explicit)
    except ValueError:
        return Allowance(url.host, None, explicit)
