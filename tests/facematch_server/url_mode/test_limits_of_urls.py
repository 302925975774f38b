"""Hosts, ports and limits at their edges: the last one that is taken, the first one that is refused."""

from __future__ import annotations

import pytest

from facematch_server.url_mode.allowed_hosts import UrlPolicy
from facematch_server.url_mode.fetch import FetchLimits
from facematch_server.url_mode.urls import MalformedUrlError, join, parse

# Ports above 1023 that photos are not fetched from: those that browsers block (Fetch standard, "port blocking"), and
# those of databases, queues and control planes.
BLOCKED = {
    *(1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697),
    *(10080, 1433, 1521, 2375, 2376, 2379, 2380, 3306, 3389, 5432, 5672, 6379, 6443, 9200, 9300, 10250, 11211, 27017),
}


def _taken(text: str) -> bool:
    try:
        parse(text)
    except MalformedUrlError:
        return False
    return True


def _host(length: int) -> str:
    """A host of labels of 49 letters, and a last one of what is left."""
    return ("a" * 49 + ".") * 5 + "b" * (length - 250)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        (f"http://{_host(253)}/", True),
        (f"http://{_host(254)}/", False),
        (f"http://{'a' * 63}.example/", True),
        (f"http://{'a' * 64}.example/", False),
        ("http://a.example:0/", False),
        ("http://a.example:1/", True),
        ("http://a.example:65535/", True),
        ("http://a.example:65536/", False),
        ("http://a.example/" + "x" * (8192 - 17), True),
        ("http://a.example/" + "x" * (8193 - 17), False),
        ("http://1.b.example/", True),  # only a last label that is a number makes an address
        ("http://a.1.example/", True),
        ("http://a.b.1/", False),
        ("http://1.2.3.4/", True),
        ("http://0x7f.1/", False),
    ],
)
def test_what_is_taken(text: str, taken: bool) -> None:
    assert _taken(text) is taken


def test_a_host_in_other_letters_is_mapped_before_it_is_judged() -> None:
    assert parse("http://ＡＢＣ.example/").host == "abc.example"  # full-width
    assert parse("http://a。example/").host == "a.example"  # an ideographic full stop
    assert not _taken("http://１２７.1/")


def test_the_port_is_left_out_where_it_is_the_schemes_own() -> None:
    assert parse("http://a.example:80/").authority == parse("https://a.example:443/").authority == "a.example"
    assert parse("http://a.example:443/").authority == "a.example:443"
    assert parse("http://[2001:db8::1]/").authority == "[2001:db8::1]"


def test_a_redirect_keeps_the_scheme_only_where_it_names_none() -> None:
    base = parse("https://a.example/p?q")
    assert join(base, "//b.example/x").scheme == "https"
    assert join(base, "http://b.example/x").scheme == "http"
    assert join(base, "?r").target == "/p?r"


def test_the_ports_of_other_protocols() -> None:
    policy = UrlPolicy("public")
    asked = {*range(1, 4096), *BLOCKED, *range(4096, 65536, 101), 65535}
    opened = {port for port in asked if policy.permits("a.example", port, "93.184.216.34")}
    assert {port for port in opened if port < 1024} == {80, 443}
    assert {port for port in asked - opened if port >= 1024} == BLOCKED


def test_two_policies_of_the_same_entries_are_equal() -> None:
    assert UrlPolicy("public", ("a.corp",)) == UrlPolicy("public", ("a.corp",))
    assert UrlPolicy("public", ("a.corp",)) != UrlPolicy("public", ("b.corp",))
    assert "Allowance" not in repr(UrlPolicy("public", ("a.corp",)))


def test_off_is_opened_by_a_name_or_a_network() -> None:
    url = parse("http://images.example/")
    assert UrlPolicy("off").refusal(url) == "the url mode is off"
    assert UrlPolicy("off", ("images.corp:80",)).refusal(url) == "the url mode is off"
    assert UrlPolicy("off", ("images.example",)).refusal(url) is None
    # A name may lead into the network: that is known after it was looked up.
    assert UrlPolicy("off", ("images.corp", "10.0.0.0/8")).refusal(url) is None
    assert not UrlPolicy("off", ("10.0.0.0/8",)).permits("images.example", 80, "93.184.216.34")


def test_what_a_photo_may_cost_by_default() -> None:
    assert FetchLimits() == FetchLimits(10 * 1024 * 1024, 3.0, 10.0, 3)
