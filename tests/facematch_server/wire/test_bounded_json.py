"""Untrusted JSON: the values of `json.loads`, within the limits of two photos."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facematch_server.wire.bounded_json import (
    MAX_QUOTES,
    MAX_SKELETON,
    MAX_STRUCTURE,
    string_fields,
    unescaped,
)

NAMES = ("img1", "img2")


def as_text(value: Any) -> Any:
    return value.decode("ascii") if isinstance(value, bytes) else value


LETTERS = st.lists(st.sampled_from('AB+/=\\"\n\té'), max_size=30).map("".join)


@given(st.dictionaries(st.sampled_from(["img1", "img2", "x"]), st.one_of(LETTERS, st.integers(), st.none())), LETTERS)
def test_the_same_as_the_standard_library(content: dict[str, Any], long: str) -> None:
    long += "A"  # more than 64 backslashes in a row are refused
    content = {**content, "img2": long * 100, "y": [{"img1": "not this one", "z": long * 60}]}
    for ensure_ascii in (True, False):
        body = json.dumps(content, ensure_ascii=ensure_ascii).encode()
        found = string_fields(body, NAMES)
        assert set(found) == set(NAMES) & set(content)
        for name, value in found.items():
            meant = content[name]
            if isinstance(value, bytes):
                assert value == meant.encode("ascii", "replace") or not ensure_ascii
            else:
                assert value == meant


@pytest.mark.parametrize("length", [10, 255, 256 * 1024 - 3, 256 * 1024, 256 * 1024 + 3, 600_001])
@pytest.mark.parametrize("escape", ["\\/", "\\n", "\\u002b", "\\\\", '\\"', "A"])
def test_escapes_are_undone_wherever_the_windows_end(escape: str, length: int) -> None:
    for lead in ("", "A", "AB", "ABC"):
        raw = (lead + (escape + "xyz") * (length // (len(escape) + 3)) + escape).encode()
        assert unescaped(raw) == json.loads(b'"' + raw + b'"').encode()


@pytest.mark.parametrize(
    "body",
    [
        b'{"img1": "a", "x": [' + b",".join([b"1"] * (MAX_STRUCTURE + 1)) + b"]}",
        b'{"img1": "a", "x": [' + b",".join([b'""'] * MAX_QUOTES) + b"]}",
        b'{"img1": "a"' + b" " * MAX_SKELETON + b"}",
        b'{"img1": "' + b"\\" * 2000 + b'"}',
        b'{"img1": "' + b"A" * 2000,
        b'{"img1": "' + b"A" * 2000 + b"\\x" + b'"}',
        b"[" * 5000 + b"]" * 5000,
        b'{"img1": ' + b"9" * 5000 + b"}",
        b'["img1"]',
        b'"img1"',
        b"\xff",
    ],
)
def test_more_than_photos_need_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        string_fields(body, NAMES)


def test_short_strings_may_contain_raw_line_breaks() -> None:
    assert string_fields(b'{"x": "a\n\tb", "img1": "AB\r\nCD"}', ("img1", "x")) == {"img1": "AB\r\nCD", "x": "a\n\tb"}


def test_a_number_of_the_clients_own_fields_is_served() -> None:
    body = json.dumps({"img1": "a" * 5000, "img2": "b", "meta": {str(n): {"v": [n, "x"]} for n in range(1000)}})
    assert {name: as_text(value) for name, value in string_fields(body.encode(), NAMES).items()} == {
        "img1": "a" * 5000,
        "img2": "b",
    }


def test_of_a_repeated_member_the_last_counts_as_in_the_standard_library() -> None:
    assert string_fields(b'{"img1": "a", "img1": "b"}', NAMES) == {"img1": "b"}
