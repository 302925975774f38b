"""Asks several services for their metrics, and keeps what the figures of the last seconds need."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from facematch_server.top.activity import Activity, activity
from facematch_server.top.snapshot import MetricsError, Snapshot, parse

if TYPE_CHECKING:
    import httpx

_LARGEST_REPLY: Final = 8 * 1024 * 1024
_PATH: Final = "/metrics"


@dataclass(frozen=True, slots=True)
class Seen:
    """A service as it was found.

    Attributes:
        address: as given on the command line.
        activity: its figures; None if it gave no metrics.
        problem: why it gave none; "" if it did.
    """

    address: str
    activity: Activity | None
    problem: str = ""


@dataclass(slots=True)
class Watched:
    """One service and its snapshots of the last seconds."""

    address: str
    url: str
    kept: deque[Snapshot] = field(default_factory=deque)

    def take(self, snapshot: Snapshot, window: float) -> Activity:
        """Add a snapshot; the figures of the last `window` seconds, or since the start if it is the first one."""
        while len(self.kept) > 1 and snapshot.moment - self.kept[1].moment >= window:
            self.kept.popleft()
        earlier = self.kept[0] if self.kept else None
        self.kept.append(snapshot)
        return activity(earlier, snapshot)


def metrics_url(address: str) -> str:
    """The address of the metrics of a service.

    Args:
        address: `host:port`, or a URL with or without a path.

    Raises:
        ValueError: the address is not one.
    """
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(f"{address!r} is neither host:port nor an http:// or https:// address")
    # Reading the port raises ValueError if it is not a number.
    assert parts.port is None or parts.port >= 0  # noqa: S101
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") or _PATH, query="", fragment=""))


def look(
    services: Sequence[Watched],
    client: httpx.Client,
    window: float,
    clock: Callable[[], float] = time.time,
) -> list[Seen]:
    """Ask all services at the same time.

    Args:
        services: the services; they keep their snapshots.
        client: asks them; its time limit applies to each.
        window: seconds that the figures are about.
        clock: Unix time.
    """

    def one(service: Watched) -> Seen:
        try:
            text = _fetch(client, service.url)
            return Seen(service.address, service.take(parse(text, clock()), window))
        except MetricsError as error:
            return Seen(service.address, None, str(error))

    with ThreadPoolExecutor(max_workers=min(len(services), 16)) as threads:
        return list(threads.map(one, services))


def _fetch(client: httpx.Client, url: str) -> str:
    import httpx

    try:
        with client.stream("GET", url) as response:
            if response.status_code == 404:
                raise MetricsError("HTTP 404: with FACEMATCH_INTERNAL_PORT the metrics are on that port")
            if response.status_code != 200:
                raise MetricsError(f"HTTP {response.status_code}")
            data = bytearray()
            for part in response.iter_bytes():
                data += part
                if len(data) > _LARGEST_REPLY:
                    raise MetricsError("the reply is too large for metrics")
    except httpx.HTTPError as error:
        raise MetricsError(f"no reply ({type(error).__name__})") from None
    return data.decode("utf-8", "replace")
