"""Kinds of addresses, and the kinds that each policy opens."""

from __future__ import annotations

import pytest

from facematch_server.settings import Settings, is_loopback
from facematch_server.url_mode.allowed_hosts import AddressKind, UrlPolicy, UrlPolicyError, kind_of
from facematch_server.url_mode.urls import parse


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("93.184.216.34", AddressKind.PUBLIC),
        ("172.15.255.255", AddressKind.PUBLIC),
        ("172.16.0.0", AddressKind.PRIVATE),
        ("172.31.255.255", AddressKind.PRIVATE),
        ("172.32.0.0", AddressKind.PUBLIC),
        ("10.1.2.3", AddressKind.PRIVATE),
        ("192.168.0.1", AddressKind.PRIVATE),
        ("127.0.0.1", AddressKind.LOOPBACK),
        ("127.255.255.254", AddressKind.LOOPBACK),
        ("0.0.0.0", AddressKind.RESERVED),  # noqa: S104
        ("100.64.0.1", AddressKind.RESERVED),
        ("100.127.255.255", AddressKind.RESERVED),
        ("100.128.0.0", AddressKind.PUBLIC),
        ("169.254.1.1", AddressKind.LINK_LOCAL),
        ("169.254.169.254", AddressKind.METADATA),
        ("100.100.100.200", AddressKind.METADATA),
        ("168.63.129.16", AddressKind.METADATA),
        ("198.18.0.1", AddressKind.RESERVED),
        ("224.0.0.1", AddressKind.RESERVED),
        ("240.0.0.1", AddressKind.RESERVED),
        ("255.255.255.255", AddressKind.RESERVED),
        ("2606:2800:220:1::1", AddressKind.PUBLIC),
        ("::", AddressKind.RESERVED),
        ("::1", AddressKind.LOOPBACK),
        ("::7f00:1", AddressKind.RESERVED),
        ("fd12::1", AddressKind.PRIVATE),
        ("fe80::1", AddressKind.LINK_LOCAL),
        ("fe80::1%eth0", AddressKind.LINK_LOCAL),
        ("fec0::1", AddressKind.RESERVED),
        ("ff02::1", AddressKind.RESERVED),
        ("fd00:ec2::254", AddressKind.METADATA),
        ("2001:db8::1", AddressKind.RESERVED),
        ("::ffff:93.184.216.34", AddressKind.PUBLIC),
        ("::ffff:127.0.0.1", AddressKind.LOOPBACK),
        ("::ffff:169.254.169.254", AddressKind.METADATA),
        ("64:ff9b::5db8:d822", AddressKind.PUBLIC),
        ("64:ff9b::7f00:1", AddressKind.RESERVED),
        ("64:ff9b::a00:1", AddressKind.RESERVED),
        ("64:ff9b::a9fe:a9fe", AddressKind.METADATA),
        ("64:ff9b:1::7f00:1", AddressKind.RESERVED),
        ("2002:7f00:1::", AddressKind.RESERVED),
        ("2001:0:4136:e378:8000:63bf:807f:fffe", AddressKind.RESERVED),
        ("2606:2800:220:1:0:5efe:7f00:1", AddressKind.RESERVED),
        ("2606:2800:220:1:200:5efe:7f00:1", AddressKind.RESERVED),
    ],
)
def test_kinds_of_addresses(address: str, kind: AddressKind) -> None:
    assert kind_of(address) is kind


ADDRESSES = {
    "public": "93.184.216.34",
    "loopback": "127.0.0.1",
    "loopback6": "::1",
    "private": "10.0.0.1",
    "private6": "fd12::1",
    "cgnat": "100.64.0.1",
    "any": "0.0.0.0",  # noqa: S104
    "multicast": "224.0.0.1",
    "link-local": "169.254.7.7",
    "link-local6": "fe80::1",
    "metadata": "169.254.169.254",
    "metadata6": "fd00:ec2::254",
}


@pytest.mark.parametrize(
    ("mode", "listen", "open_to"),
    [
        ("public", "127.0.0.1", {"public"}),
        ("public", "0.0.0.0", {"public"}),  # noqa: S104
        ("auto", "127.0.0.1", {"public", "loopback", "loopback6", "private", "private6"}),
        ("auto", "::1", {"public", "loopback", "loopback6", "private", "private6"}),
        ("auto", "localhost", {"public", "loopback", "loopback6", "private", "private6"}),
        ("auto", "0.0.0.0", {"public"}),  # noqa: S104
        ("auto", "::", {"public"}),
        ("auto", "10.0.0.5", {"public"}),
        ("auto", "myhost", {"public"}),
        ("auto", "", {"public"}),
        ("any", "0.0.0.0", set(ADDRESSES)),  # noqa: S104
        ("any", "127.0.0.1", set(ADDRESSES)),
        ("off", "127.0.0.1", set()),
        ("off", "0.0.0.0", set()),  # noqa: S104
    ],
)
def test_policies_open_what_they_say(mode: str, listen: str, open_to: set[str]) -> None:
    policy = UrlPolicy(mode, loopback_only=is_loopback(listen))  # type: ignore[arg-type]
    assert {name for name, address in ADDRESSES.items() if policy.permits("host", 80, address)} == open_to


@pytest.mark.parametrize(
    ("allow", "host", "port", "address", "permitted"),
    [
        ("images.corp", "images.corp", 80, "10.0.0.1", True),
        ("images.corp", "images.corp", 9000, "10.0.0.1", True),
        ("images.corp", "images.corp", 22, "10.0.0.1", False),
        ("images.corp", "other.corp", 80, "10.0.0.1", False),
        ("images.corp", "x.images.corp", 80, "10.0.0.1", False),
        ("IMAGES.corp.", "images.corp", 80, "10.0.0.1", True),
        ("images.corp:81", "images.corp", 81, "10.0.0.1", True),
        ("images.corp:81", "images.corp", 80, "10.0.0.1", False),
        ("images.corp:80", "images.corp", 80, "10.0.0.1", True),
        ("10.0.0.0/8", "whatever", 80, "10.9.9.9", True),
        ("10.0.0.0/8", "whatever", 80, "::ffff:10.9.9.9", True),
        ("10.0.0.0/8", "whatever", 80, "192.168.0.1", False),
        ("10.0.0.7", "whatever", 443, "10.0.0.7", True),
        ("10.0.0.7:9000", "whatever", 9000, "10.0.0.7", True),
        ("10.0.0.7:9000", "whatever", 443, "10.0.0.7", False),
        ("fd12::/16", "whatever", 80, "fd12::9", True),
        ("fd12::9", "whatever", 80, "fd12::9", True),
        ("[fd12::9]:9000", "whatever", 9000, "fd12::9", True),
        ("a.corp, 10.0.0.0/8 ,", "whatever", 80, "10.9.9.9", True),
        # Nothing but `any` opens these.
        ("images.corp", "images.corp", 80, "169.254.169.254", False),
        ("169.254.0.0/16", "whatever", 80, "169.254.169.254", False),
        ("0.0.0.0/0,::/0", "whatever", 80, "100.100.100.200", False),
        ("0.0.0.0/0,::/0", "whatever", 80, "fe80::1", False),
    ],
)
def test_allowances_open_what_they_name(allow: str, host: str, port: int, address: str, permitted: bool) -> None:
    for mode in ("public", "off"):
        policy = UrlPolicy(mode, Settings(url_allow=allow).url_allow)  # type: ignore[arg-type]
        assert policy.permits(host, port, address) is permitted


@pytest.mark.parametrize(
    "entry",
    [
        "http://images.corp",
        "images.corp/path",
        "10.0.0.0/33",
        "a b",
        "user@host",
        "host:port",
        "host:0",
        "*.corp",
        "127.1",
    ],
)
def test_an_allowance_that_cannot_be_read_is_named(entry: str) -> None:
    with pytest.raises(UrlPolicyError, match="allowed for") as raised:
        UrlPolicy("public", (entry,))
    assert repr(entry) in str(raised.value)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(UrlPolicyError, match="auto, public, any, off"):
        UrlPolicy("open")  # type: ignore[arg-type]


@pytest.mark.parametrize("port", [1, 21, 22, 23, 25, 53, 110, 143, 445, 587, 993, 2375, 3306, 5432, 6000, 6379, 11211])
def test_ports_of_other_protocols_are_refused_before_anything_is_looked_up(port: int) -> None:
    assert UrlPolicy("public").refusal(parse(f"http://images.example:{port}/"))
    assert UrlPolicy("any").refusal(parse(f"http://images.example:{port}/")) is None


@pytest.mark.parametrize("port", [80, 443, 3000, 3128, 5000, 8000, 8080, 8443, 9000, 49152])
def test_ports_images_are_served_on_are_open(port: int) -> None:
    assert UrlPolicy("public").refusal(parse(f"http://images.example:{port}/")) is None


def test_off_looks_nothing_up_but_what_is_allowed() -> None:
    assert UrlPolicy("off").refusal(parse("http://images.example/"))
    only = UrlPolicy("off", ("images.corp",))
    assert only.refusal(parse("http://images.example/"))
    assert only.refusal(parse("http://images.corp/")) is None
