"""A table of hostile URLs: all are refused without a connection."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from facematch_server.url_mode.allowed_hosts import UrlPolicy
from facematch_server.url_mode.errors import Reason
from tests.facematch_server.url_mode.image_servers import (
    LOCAL,
    PUBLIC,
    PUBLIC_ADDRESS,
    Names,
    Network,
    refused,
)

pytestmark = pytest.mark.anyio


# Every one of them is refused under `public` without a connection being tried. The resolver answers like a
# generous one would: names of the table lead where their comment says.
NAMES: dict[str, Sequence[Sequence[str]]] = {
    "localhost": [["127.0.0.1", "::1"]],
    "foo.localhost": [["127.0.0.1"]],
    "localtest.me": [["127.0.0.1"]],
    "127.0.0.1.nip.io": [["127.0.0.1"]],
    "private.example": [["10.0.0.1"]],
    "mapped.example": [["::ffff:10.0.0.1"]],
    "sixtofour.example": [["2002:7f00:1::"]],
    "nat64.example": [["64:ff9b::7f00:1"]],
    "metadata.example": [["169.254.169.254"]],
    "metadata6.example": [["fd00:ec2::254"]],
    "linklocal.example": [["fe80::1%eth0"]],
    "zero.example": [["0.0.0.0"]],  # noqa: S104
    "several.example": [["127.0.0.1", "10.0.0.1", "::1", "fe80::1"]],
    "nothing.example": [[]],
    "public.example": [[PUBLIC_ADDRESS]],
    "evil.example": [[PUBLIC_ADDRESS]],
}

HOSTILE = [
    # loopback, spelt in every way
    "http://127.0.0.1/",
    "http://127.0.0.1:8080/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.000.000.001/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://127.0.0.1./",
    "http://127.8.8.8/",
    "http://0/",
    "http://0.0.0.0/",
    "http://00000/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://foo.localhost/",
    "http://localtest.me/",
    "http://127.0.0.1.nip.io/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    # private, link-local, shared, reserved, multicast
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://3232235777/",
    "http://100.64.0.1/",
    "http://169.254.1.1/",
    "http://192.0.0.1/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[fc00::1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://private.example/",
    "http://mapped.example/",
    "http://sixtofour.example/",
    "http://nat64.example/",
    "http://linklocal.example/",
    "http://zero.example/",
    "http://several.example/",
    # metadata services
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fd00:ec2::254]/",
    "http://[fd20:ce::254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://169.254.170.2/v2/credentials",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./",
    "http://metadata.example/",
    "http://metadata6.example/",
    # digits, dots and letters that are not ASCII
    "http://①②⑦.⓪.⓪.①/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://127．0．0．1/",
    "http://１６９。２５４。１６９。２５４/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://loc\u00adalhost/",
    "http://loc\u200balhost/",
    "http://evil.example\u2100/",
    "http://evil\u2024example/x\u0000",
    # user names, and texts that look like different hosts to different parsers
    "http://user:secret@public.example/",
    "http://@public.example/",
    "http://public.example@127.0.0.1/",
    "http://public.example:80@127.0.0.1/",
    "http://127.0.0.1:80\\@public.example/",
    "http://public.example\\@127.0.0.1/",
    "http://127.0.0.1\\public.example/",
    "http://public.example%2f@127.0.0.1/",
    "http://public.example%00.127.0.0.1/",
    "http://127.0.0.1%2epublic.example/",
    "http://%31%32%37.0.0.1/",
    "http:/\\127.0.0.1/",
    "http:\\\\127.0.0.1/",
    "http:/127.0.0.1/",
    "http:127.0.0.1/",
    "http:///127.0.0.1/",
    "http:// 127.0.0.1/",
    "http://public .example/",
    "ht\ttp://127.0.0.1/",
    "http://127.0.\t0.1/",
    "http://127.0.0.1\n.public.example/",
    "http://public.example/\r\nHost: 127.0.0.1",
    "http://public.example:80:80/",
    "http://public.example:0/",
    "http://public.example:65536/",
    "http://public.example:８０/",
    "http://public.example:-80/",
    "http://[::1/",
    "http://::1/",
    "http://[127.0.0.1]/",
    "http://[::1]public.example/",
    "http://.public.example/",
    "http://public..example/",
    "http://-/",
    # other schemes
    "file:///etc/passwd",
    "ftp://public.example/",
    "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/",
    "jar:http://127.0.0.1!/",
    "data:image/png;base64,AAAA",
    "unix:/run/docker.sock",
    "//127.0.0.1/",
    "/etc/passwd",
    "",
    # ports of other protocols
    "http://public.example:22/",
    "http://public.example:25/",
    "http://public.example:6379/",
    "http://public.example:11211/",
]


def test_the_table_is_as_long_as_promised() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 60


async def test_hostile_urls_are_refused_without_a_connection() -> None:
    for url in HOSTILE:
        network = Network()
        names = Names()
        names._answers = {name: list(lists) for name, lists in NAMES.items()}
        reason = await refused(url, PUBLIC, network=network, resolver=names)
        assert reason in (Reason.MALFORMED, Reason.FORBIDDEN), url
        assert network.connected == [], url


async def test_the_tables_harmless_host_would_have_been_connected_to() -> None:
    # Otherwise the test above could pass for the wrong reason.
    network = Network()
    assert (
        await refused(
            "http://public.example/", PUBLIC, network=network, resolver=Names(public_example=[[PUBLIC_ADDRESS]])
        )
        is Reason.UNREACHABLE
    )
    assert network.connected == [(PUBLIC_ADDRESS, 80)]


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/",
        "http://[fd00:ec2::254]/",
        "http://169.254.9.9/",
        "http://[fe80::1]/",
        "http://metadata/",
    ],
)
async def test_metadata_and_link_local_are_refused_on_a_loopback_service_too(url: str) -> None:
    network = Network()
    assert await refused(url, LOCAL, network=network) is Reason.FORBIDDEN
    assert network.connected == []


async def test_off_refuses_everything() -> None:
    network, names = Network(), Names()
    policy = UrlPolicy("off", loopback_only=True)
    for url in ("http://127.0.0.1/", f"http://{PUBLIC_ADDRESS}/", "http://public.example/"):
        assert await refused(url, policy, network=network, resolver=names) is Reason.FORBIDDEN
    assert (network.connected, names.asked) == ([], [])
