"""How long a fetch waits: its share for each address, and the deadline of two photos together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from facematch_server.url_mode.allowed_hosts import UrlPolicy
from facematch_server.url_mode.errors import Reason, UrlUnavailableError
from facematch_server.url_mode.fetch import Fetcher, FetchLimits
from tests.facematch_server.url_mode.image_servers import Network, trusting_nobody

pytestmark = pytest.mark.anyio
LIMITS = FetchLimits(connect_seconds=3.0, total_seconds=10.0)


def fetcher(resolve: Any, network: Network) -> Fetcher:
    return Fetcher(UrlPolicy("public"), LIMITS, resolver=resolve, ssl_context=trusting_nobody(), network=network)


@pytest.mark.parametrize(("addresses", "share"), [(2, 1.5), (3, 1.0), (4, 0.75), (9, 0.75)])
async def test_each_of_at_most_four_addresses_has_its_share_of_the_time(addresses: int, share: float) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return [f"93.184.216.{n}" for n in range(addresses)]

    nowhere = Network()
    images = fetcher(resolve, nowhere)
    with pytest.raises(UrlUnavailableError) as raised:
        await images.fetch("http://images.example/x")
    await images.aclose()
    tried = min(addresses, 4)
    assert raised.value.reason is Reason.UNREACHABLE
    # The last one has what is left of the whole.
    assert nowhere.connected == [(f"93.184.216.{n}", 80) for n in range(tried)]
    assert nowhere.waits == [share if n < tried - 1 else None for n in range(tried)]


async def test_two_photos_end_at_their_deadline() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        await anyio.sleep(30)
        return []

    images, begun = fetcher(resolve, Network()), time.monotonic()
    for left in (0.2, -1.0):
        with pytest.raises(UrlUnavailableError, match="deadline") as raised:
            await images.fetch_both("http://a.example/", "http://b.example/", time.monotonic() + left)
        assert raised.value.reason is Reason.TIMEOUT
    assert time.monotonic() - begun < 0.9
    await images.aclose()
