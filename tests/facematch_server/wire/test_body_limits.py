"""JSON bodies at the limits of `bounded_json`: the last one that is read, the first one that is refused."""

from __future__ import annotations

import pytest

from facematch_server.wire.bounded_json import string_fields, unescaped

NAMES = ("img1",)


def read(body: bytes) -> bool:
    """Whether a body with the member `img1` is read."""
    try:
        return set(string_fields(body, NAMES)) == {"img1"}
    except ValueError:
        return False


@pytest.mark.parametrize(("numbers", "taken"), [(9_996, True), (9_997, False)])
def test_ten_thousand_signs_of_structure(numbers: int, taken: bool) -> None:
    """One brace, two colons, one comma and one bracket, then a comma less than numbers."""
    assert read(b'{"img1": "a", "x": [' + b",".join([b"1"] * numbers) + b"]}") is taken


@pytest.mark.parametrize(("length", "taken"), [(256 * 1024, True), (256 * 1024 + 1, False)])
@pytest.mark.parametrize("member", [b'{"img1": "a"', b'{"img1": "a", "x": '])
def test_256_kib_besides_long_strings(member: bytes, length: int, taken: bool) -> None:
    end = b"}" if member.endswith(b'"') else b'"b"}'
    assert read(member + b" " * (length - len(member) - len(end)) + end) is taken
    assert read(member + b" " * (length - len(member) - len(end)) + end + b" ") is (taken and length < 256 * 1024)


@pytest.mark.parametrize(("escaped", "taken"), [(19_998, True), (19_999, False)])
def test_twenty_thousand_quotation_marks(escaped: int, taken: bool) -> None:
    assert read(b'{"img1": "' + escaped * b'\\"' + b'"}') is taken


@pytest.mark.parametrize(("backslashes", "taken"), [(62, True), (63, True), (64, False)])
def test_64_backslashes_before_a_quotation_mark(backslashes: int, taken: bool) -> None:
    """An even number leaves the mark as it is, an odd one escapes it."""
    body = b'{"img1": "' + b"A" * 2000 + b"\\" * backslashes + (b'"' if backslashes % 2 == 0 else b'" "') + b"}"
    assert read(body) is taken


@pytest.mark.parametrize("length", [1023, 1024, 1025, 5000])
def test_a_string_is_the_same_text_short_or_long(length: int) -> None:
    value = string_fields(b'{"img1": "' + b"A" * length + b'"}', NAMES)["img1"]
    assert isinstance(value, bytes) is (length >= 1024)
    assert len(value) == length


@pytest.mark.parametrize("raw", [b"\\u00e9\\u1ea3"])
def test_letters_outside_ascii_become_question_marks(raw: bytes) -> None:
    assert unescaped(raw + b"\\/") == b"??/"
