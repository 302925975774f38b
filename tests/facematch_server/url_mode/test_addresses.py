"""The address that was checked is the address that is connected to, also after a redirect."""

from __future__ import annotations

import asyncio

import pytest

from facematch_server.url_mode.errors import Reason, UrlUnavailableError
from facematch_server.url_mode.fetch import Fetcher
from tests.facematch_server.url_mode.image_servers import (
    LIMITS,
    PUBLIC,
    PUBLIC_ADDRESS,
    Names,
    Network,
    fetch,
    redirect,
    refused,
    reply,
    server,
)

pytestmark = pytest.mark.anyio


async def test_a_name_is_resolved_once_per_connection() -> None:
    names = Names(rebind_example=[[PUBLIC_ADDRESS], ["127.0.0.1"]])
    async with server(reply()) as (port, heads):
        network = Network(port)
        fetcher = Fetcher(PUBLIC, LIMITS, resolver=names, network=network)
        assert await fetcher.fetch("http://rebind.example/x") == b"photo"
        assert names.asked == ["rebind.example"]
        assert network.connected == [(PUBLIC_ADDRESS, 80)]
        assert b"\r\nHost: rebind.example\r\n" in heads[0]
        # The next request asks again, and now the name leads inside.
        with pytest.raises(UrlUnavailableError) as raised:
            await fetcher.fetch("http://rebind.example/x")
        assert raised.value.reason is Reason.FORBIDDEN
        assert len(network.connected) == 1
        await fetcher.aclose()


async def test_a_name_that_changes_between_redirects_is_checked_again() -> None:
    names = Names(rebind_example=[[PUBLIC_ADDRESS], ["10.0.0.1"]])
    async with server(redirect("http://rebind.example/again")) as (port, _):
        network = Network(port)
        assert await refused("http://rebind.example/", PUBLIC, resolver=names, network=network) is Reason.FORBIDDEN
        assert network.connected == [(PUBLIC_ADDRESS, 80)]


async def test_of_several_addresses_only_permitted_ones_are_tried() -> None:
    names = Names(mixed_example=[["127.0.0.1", PUBLIC_ADDRESS, "10.0.0.1", PUBLIC_ADDRESS, "::1"]])
    async with server(reply()) as (port, _):
        network = Network(port)
        assert await fetch("http://mixed.example/", PUBLIC, resolver=names, network=network) == b"photo"
        assert network.connected == [(PUBLIC_ADDRESS, 80)]


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with server(reply()) as (port, _):
        names = Names(images_example=[["::1", "127.0.0.1"]])  # the server listens on IPv4 only
        assert await fetch(f"http://images.example:{port}/", resolver=names) == b"photo"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_redirects_are_followed(status: str) -> None:
    async with (
        server(reply(b"there")) as (port, _),
        server(redirect(f"http://127.0.0.1:{port}/b", status)) as (first, _),
    ):
        assert await fetch(f"http://127.0.0.1:{first}/a") == b"there"


@pytest.mark.parametrize(("redirects", "arrives"), [(3, True), (4, False)])
async def test_at_most_three_redirects(redirects: int, arrives: bool) -> None:
    async def count_down(head: bytes, writer: asyncio.StreamWriter) -> None:
        left = int(head.split()[1][1:])
        await (redirect(f"/{left - 1}") if left else reply())(head, writer)

    async with server(count_down) as (port, heads):
        url = f"http://127.0.0.1:{port}/{redirects}"
        if arrives:
            assert await fetch(url) == b"photo"
        else:
            assert await refused(url) is Reason.REDIRECT
        assert len(heads) == 4


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/?secret",
        "http://2130706433/",
        "http://private.example/",
        "//10.0.0.1/",
        "file:///etc/passwd",
        "http://user:secret@public.example/",
        "http://public.example:22/",
        "gopher://127.0.0.1/",
        "http://public.example\\@127.0.0.1/",
    ],
)
async def test_redirects_to_forbidden_places_are_not_followed(location: str) -> None:
    names = Names(public_example=[[PUBLIC_ADDRESS]], private_example=[["10.0.0.1"]])
    async with server(redirect(location)) as (port, _):
        network = Network(port)
        reason = await refused("http://public.example/", PUBLIC, resolver=names, network=network)
        assert reason in (Reason.FORBIDDEN, Reason.MALFORMED)
        assert network.connected == [(PUBLIC_ADDRESS, 80)]


async def test_a_redirect_without_a_place_ends() -> None:
    async with server(reply(b"", "302 Found")) as (port, _):
        assert await refused(f"http://127.0.0.1:{port}/") is Reason.REDIRECT
