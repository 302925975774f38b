"""Two photos at once: their order, whose error counts, and their deadline."""

from __future__ import annotations

import time

import anyio
import pytest

from facematch_server.url_mode.errors import Reason, UrlUnavailableError
from facematch_server.url_mode.fetch import Fetcher
from tests.facematch_server.url_mode.image_servers import (
    LOCAL,
)

pytestmark = pytest.mark.anyio


class Scripted(Fetcher):
    """Gives a photo, an error or nothing by URL."""

    async def fetch(self, url: str) -> bytes:
        if url == "hangs":
            await anyio.sleep(30)
        if url == "bug":
            raise KeyError(url)
        if url.startswith("photo"):
            return url.encode()
        await anyio.sleep(0 if url == "second" else 0.05)
        raise UrlUnavailableError(Reason.STATUS, url)


async def both(url1: str, url2: str, seconds: float = 20) -> tuple[bytes, bytes]:
    fetcher = Scripted(LOCAL)
    try:
        return await fetcher.fetch_both(url1, url2, time.monotonic() + seconds)
    finally:
        await fetcher.aclose()


async def test_both_photos_come_in_their_order() -> None:
    assert await both("photo 1", "photo 2") == (b"photo 1", b"photo 2")


async def test_the_first_photo_s_error_counts_also_if_the_second_fails_earlier() -> None:
    with pytest.raises(UrlUnavailableError, match="first"):
        await both("first", "second")
    with pytest.raises(UrlUnavailableError, match="second"):
        await both("photo", "second")
    with pytest.raises(KeyError):
        await both("bug", "second")


async def test_both_end_at_the_deadline() -> None:
    with pytest.raises(UrlUnavailableError) as raised:
        await both("photo", "hangs", 0.05)
    assert raised.value.reason is Reason.TIMEOUT
