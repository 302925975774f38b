"""Forms at the edges of what is searched: how far, how often, and where a part ends."""

from __future__ import annotations

import pytest

from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError
from facematch_server.wire.multipart import form_parts, parameter

STATED = "multipart/form-data; boundary=mark"
NAMES = ("img1", "img2")
HEAD = b'Content-Disposition: form-data; name="%b"'


def part(name: bytes, content: bytes, mark: bytes = b"mark", line: bytes = b"\r\n") -> bytes:
    return b"--" + mark + line + HEAD % name + line + line + content + line


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ('form-data; name="img1"', "img1"),
        ("form-data; name=img1", "img1"),
        ("form-data; name=img1 ; x=y", "img1"),
        (r'form-data; name="a\"b"', 'a"b'),
        ('form-data; NAME=" img1 "', "img1"),
        ('form-data; name=""', ""),
        ("form-data", ""),
    ],
)
def test_a_parameter_quoted_or_not(header: str, value: str) -> None:
    assert parameter(header, "name") == value


@pytest.mark.parametrize("stated", [STATED, "multipart/form-data"])
@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
@pytest.mark.parametrize("lead", [b"", b"\r\n", b"text before\r\n"])
def test_a_part_ends_before_the_line_break_of_the_next_boundary(stated: str, line: bytes, lead: bytes) -> None:
    body = lead + part(b"img1", b"one\r", line=line) + part(b"img2", b"two\n", line=line) + b"--mark--" + line
    assert form_parts(stated, body, NAMES) == {"img1": b"one\r", "img2": b"two\n"}


@pytest.mark.parametrize("end", [b"", b"--mark", b"--mark--", b"--mark \r\n"])
def test_the_last_part_ends_with_the_body_or_any_boundary(end: bytes) -> None:
    body = part(b"img1", b"one") + end
    assert form_parts(STATED, body, NAMES) == {"img1": b"one"}


def test_what_only_begins_like_the_boundary_is_content() -> None:
    body = part(b"img1", b"a\r\n--markx\r\nb\r\n--mar\r\n") + b"--mark--"
    assert form_parts(STATED, body, NAMES) == {"img1": b"a\r\n--markx\r\nb\r\n--mar\r\n"}


@pytest.mark.parametrize(("parts", "found"), [(63, True), (64, False)])
def test_sixty_four_parts_are_searched(parts: int, found: bool) -> None:
    body = parts * part(b"x", b"") + part(b"img1", b"one") + b"--mark--"
    assert bool(form_parts(STATED, body, NAMES)) is found


@pytest.mark.parametrize(("length", "found"), [(64 * 1024, True), (64 * 1024 + 1, False)])
def test_an_unstated_boundary_is_looked_for_in_64_kib(length: int, found: bool) -> None:
    """The search must see the boundary's line and the first letters of a header, up to its colon."""
    shown = b"\r\n--mark\r\nContent-Disposition:"
    lead = b"x" * (length - len(shown))
    body = lead + b"\r\n" + part(b"img1", b"one") + b"--mark--"
    if found:
        assert form_parts("multipart/form-data", body, NAMES) == {"img1": b"one"}
    else:
        with pytest.raises(ContractError) as raised:
            form_parts("multipart/form-data", body, NAMES)
        assert raised.value.code is ErrorCode.BAD_FORMAT_TYPE


@pytest.mark.parametrize("length", [1024 * 1024 + shift for shift in range(-12, 3)] + [2 * 1024 * 1024 - 7])
def test_a_boundary_is_found_wherever_the_windows_of_the_search_end(length: int) -> None:
    content = b"x" * length
    body = part(b"img1", content) + part(b"img2", b"two") + b"--mark--"
    assert form_parts(STATED, body, NAMES) == {"img1": content, "img2": b"two"}
