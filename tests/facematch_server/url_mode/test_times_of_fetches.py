"""How long a fetch waits: its share for each address, and the deadline of two photos together."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any

import anyio
import httpcore
import pytest

from facematch_server.url_mode.errors import Reason, UrlUnavailableError
from facematch_server.url_mode.fetch import Fetcher, FetchLimits
from facematch_server.url_mode.policy import UrlPolicy

pytestmark = pytest.mark.anyio
LIMITS = FetchLimits(connect_seconds=3.0, total_seconds=10.0)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Nowhere(httpcore.AsyncNetworkBackend):
    """Refuses every connection and notes the address and how long it would have waited."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float | None]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.asked.append((host, timeout))
        raise httpcore.ConnectError


def fetcher(resolve: Any, network: httpcore.AsyncNetworkBackend) -> Fetcher:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return Fetcher(UrlPolicy("public"), LIMITS, resolver=resolve, ssl_context=context, network=network)


@pytest.mark.parametrize(("addresses", "share"), [(2, 1.5), (3, 1.0), (4, 0.75), (9, 0.75)])
async def test_each_of_at_most_four_addresses_has_its_share_of_the_time(addresses: int, share: float) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return [f"93.184.216.{n}" for n in range(addresses)]

    nowhere = Nowhere()
    images = fetcher(resolve, nowhere)
    with pytest.raises(UrlUnavailableError) as raised:
        await images.fetch("http://images.example/x")
    await images.aclose()
    tried = min(addresses, 4)
    assert raised.value.reason is Reason.UNREACHABLE
    # The last one has what is left of the whole.
    assert nowhere.asked == [(f"93.184.216.{n}", share if n < tried - 1 else None) for n in range(tried)]


async def test_two_photos_end_at_their_deadline() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await anyio.sleep(30)
        return []

    images, begun = fetcher(resolve, Nowhere()), time.monotonic()
    for left in (0.2, -1.0):
        with pytest.raises(UrlUnavailableError, match="deadline") as raised:
            await images.fetch_both("http://a.example/", "http://b.example/", time.monotonic() + left)
        assert raised.value.reason is Reason.TIMEOUT
    assert time.monotonic() - begun < 0.9
    await images.aclose()
