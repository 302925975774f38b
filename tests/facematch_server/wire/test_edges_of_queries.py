"""Queries at the edges: a method and mode for each other, and parameters that look like a client's own."""

from __future__ import annotations

import pytest

from facematch_local.checks import Role
from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError
from facematch_server.wire.query import Mode, Query, parse_query, parse_type1

URL = "https://cdn.example.com/selfie.jpg?a=1"


@pytest.mark.parametrize(("method", "mode"), [("GET", Mode.URL), ("POST", Mode.FILE), ("POST", Mode.BASE64)])
def test_each_method_has_its_modes(method: str, mode: Mode) -> None:
    assert parse_query(method, f"format_type={mode}".encode()) == Query(mode, Role.CARD)
    with pytest.raises(ContractError) as raised:
        parse_query("POST" if method == "GET" else "GET", f"format_type={mode}".encode())
    assert raised.value.code is ErrorCode.BAD_FORMAT_TYPE


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (URL + "&is_thumb=1", URL),
        (URL + "&is_thumb=1&get_thumb=2", URL),
        (URL + "&is_thumb=1&b=2", URL + "&is_thumb=1&b=2"),  # within the URL's own query
        ("is_thumb=?1", "is_thumb=?1"),  # the whole value
        (URL + "&x&is_thumb=1", URL + "&x"),
    ],
)
def test_a_clients_own_parameters_are_taken_off_the_end(value: str, meant: str) -> None:
    asked = parse_query("GET", f"img1={value}&img2={value}&format_type=url".encode())
    assert (asked.url1, asked.url2) == (meant, meant)


@pytest.mark.parametrize(
    ("query", "role"),
    [("", Role.CARD), ("type1=", Role.CARD), ("type1=portrait", Role.PORTRAIT), ("x=1&type1=card", Role.CARD)],
)
def test_type1_alone(query: str, role: Role) -> None:
    assert parse_type1(query.encode()) is role


def test_an_unknown_type1_is_refused() -> None:
    with pytest.raises(ContractError) as raised:
        parse_type1(b"type1=passport")
    assert raised.value.code is ErrorCode.BAD_FORMAT_TYPE
