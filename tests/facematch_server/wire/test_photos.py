"""Photos out of bodies."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError
from facematch_server.wire.multipart import MAX_PARTS
from facematch_server.wire.photos import PhotoPair, decode_base64, take_photos
from facematch_server.wire.query import Mode

LIMIT = 1_000_000
PHOTO = random.Random(1).randbytes(5000) + b"\r\n--b\r\n"  # noqa: S311
MULTIPART = "multipart/form-data; boundary=b0undary"


def form(*parts: tuple[str, bytes], boundary: str = "b0undary", end: str = "--\r\n") -> bytes:
    """A body of parts, each given by its head and its content."""
    lines = b"".join(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts)
    return lines + f"--{boundary}{end}".encode()


def disposition(name: str, more: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"{more}'


BOTH = form((disposition("img1", '; filename="a.jpg"'), PHOTO), (disposition("img2"), PHOTO[::-1]))


def code_of(*arguments: Any) -> ErrorCode:
    with pytest.raises(ContractError) as caught:
        take_photos(*arguments)
    return caught.value.code


@pytest.mark.parametrize(
    "more",
    [
        "",
        '; filename=""',
        '; filename="demo_4."',
        '; filename="..\\..\\x;y.exe"',
        "; filename*=UTF-8''%E1%BA%A3nh.jpg",
        '; filename="a.jpg"\r\nContent-Type: text/html',
        '; filename="a.jpg"\r\nContent-Type:',
        '; filename="a.jpg"\r\nContent-Type: application/octet-stream\r\nX-Odd: 1',
    ],
)
def test_names_and_types_of_parts_do_not_matter(more: str) -> None:
    body = form((disposition("img1", more), PHOTO), (disposition("img2", more), PHOTO[::-1]))
    assert take_photos(Mode.FILE, MULTIPART, body, LIMIT) == PhotoPair(PHOTO, PHOTO[::-1])


def test_other_parts_are_ignored_and_of_a_repeated_one_the_first_counts() -> None:
    body = form(
        (disposition("note"), b"x" * 100),
        (disposition("img2"), b"two"),
        (disposition("img1"), b"one"),
        (disposition("img1"), b"another"),
    )
    assert take_photos(Mode.FILE, MULTIPART, body, LIMIT) == PhotoPair(b"one", b"two")


@pytest.mark.parametrize("header", ["multipart/form-data", "", "application/octet-stream", "application/json"])
def test_a_header_without_the_boundary_or_of_another_type_is_overruled_by_the_body(header: str) -> None:
    assert take_photos(Mode.FILE, header, BOTH, LIMIT) == PhotoPair(PHOTO, PHOTO[::-1])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", ErrorCode.NO_CONTENT),
        (form((disposition("img1"), b"one")), ErrorCode.NO_CONTENT),
        (form((disposition("img1"), b"one"), (disposition("img2"), b"")), ErrorCode.NO_CONTENT),
        (form(("X-No: name", b"one"), (disposition("img2"), b"two")), ErrorCode.NO_CONTENT),
        (BOTH[: len(BOTH) // 2], ErrorCode.NO_CONTENT),
        (b"garbage", ErrorCode.NO_CONTENT),
        (form(*[(disposition("x"), b"")] * (MAX_PARTS + 1)) + BOTH, ErrorCode.NO_CONTENT),
    ],
)
def test_forms_without_two_photos(body: bytes, code: ErrorCode) -> None:
    assert code_of(Mode.FILE, MULTIPART, body, LIMIT) is code


@pytest.mark.parametrize(
    ("mode", "header", "body", "code"),
    [
        (Mode.FILE, "application/json", b'{"img1": ""}', ErrorCode.BAD_FORMAT_TYPE),
        (Mode.FILE, "application/x-www-form-urlencoded", b"", ErrorCode.BAD_FORMAT_TYPE),
        (Mode.FILE, "multipart/form-data", b"no form", ErrorCode.BAD_FORMAT_TYPE),
        (Mode.FILE, "", b"", ErrorCode.NO_CONTENT),
        (Mode.BASE64, MULTIPART, BOTH, ErrorCode.BAD_FORMAT_TYPE),
        (Mode.BASE64, "application/x-www-form-urlencoded", b"img1=x", ErrorCode.BAD_FORMAT_TYPE),
        (Mode.BASE64, "image/jpeg", PHOTO, ErrorCode.BAD_FORMAT_TYPE),
    ],
)
def test_bodies_that_do_not_fit_the_mode(mode: Mode, header: str, body: bytes, code: ErrorCode) -> None:
    assert code_of(mode, header, body, LIMIT) is code


def as_json(img1: object, img2: object = "eHg=", header: str = "application/json") -> PhotoPair:
    return take_photos(Mode.BASE64, header, json.dumps({"img1": img1, "img2": img2}).encode(), LIMIT)


@pytest.mark.parametrize(
    "header",
    [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "",
        "application/x-www-form-urlencoded",
    ],
)
def test_json_by_header_or_by_its_looks(header: str) -> None:
    assert as_json("eHg=", header=header) == PhotoPair(b"xx", b"xx")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_in_any_unicode_encoding(encoding: str) -> None:
    body = json.dumps({"img1": "eHg=", "img2": "eHg="}).encode(encoding)
    assert take_photos(Mode.BASE64, "application/json", body, LIMIT) == PhotoPair(b"xx", b"xx")


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe{", b"[" * 100_000, b"9" * 10_000, b"{}", b'{"img1": "eHg="}'],
)
def test_json_that_holds_no_photos(body: bytes) -> None:
    assert code_of(Mode.BASE64, "application/json", body, LIMIT) is ErrorCode.NO_CONTENT


@pytest.mark.parametrize("empty", [None, "", "   ", "\r\n", "data:image/jpeg;base64,"])
def test_an_empty_photo_comes_before_a_broken_one(empty: str | None) -> None:
    for pair in (("§§§", empty), (empty, "§§§")):
        with pytest.raises(ContractError) as caught:
            as_json(*pair)
        assert caught.value.code is ErrorCode.NO_CONTENT


@pytest.mark.parametrize("wrong", [7, True, ["eHg="], {"a": 1}, "ảnh", "e", "a*b=", "\ud800", "eA=A", "A" * 4 * LIMIT])
def test_no_base64(wrong: object) -> None:
    with pytest.raises(ContractError) as caught:
        as_json(wrong)
    assert caught.value.code is ErrorCode.BAD_IMAGE


def _encodings(photo: bytes) -> dict[str, str]:
    plain = base64.b64encode(photo).decode()
    lines = base64.encodebytes(photo).decode()
    return {
        "plain": plain,
        "lines": lines,
        "windows lines": lines.replace("\n", "\r\n"),
        "lines to spaces": lines.replace("\n", " "),
        "data uri": "data:image/jpeg;base64," + plain,
        "data uri, lines": "data:image/png;base64,\n" + lines,
        "data uri, capitals": "DATA:image/JPEG;charset=utf-8;BASE64," + plain,
        "plus to space": plain.replace("+", " "),
        "plus to space, lines": lines.replace("+", " "),
        "url-safe": base64.urlsafe_b64encode(photo).decode(),
        "no padding": plain.rstrip("="),
        "url-safe, no padding": base64.urlsafe_b64encode(photo).decode().rstrip("="),
        "too much padding": plain + "==",
    }


@pytest.mark.parametrize("how", _encodings(b"x"))
def test_base64_as_clients_write_it(how: str) -> None:
    for length in range(4990, 4996):
        photo = PHOTO[:length]
        assert decode_base64(_encodings(photo)[how], LIMIT) == photo, length


@given(st.binary(min_size=1, max_size=400), st.sampled_from(sorted(set(_encodings(b"x")) - {"lines to spaces"})))
def test_base64_of_any_bytes(inner: bytes, how: str) -> None:
    # A `+` at either end that became a blank looks like any blank; no photo begins or ends with `+`.
    photo = b"\xff\xd8\xff" + inner + b"\xff\xd9"
    assert decode_base64(_encodings(photo)[how], LIMIT) == photo


def test_the_limit_is_exact() -> None:
    assert len(decode_base64(base64.b64encode(bytes(1000)).decode(), 1000)) == 1000
    with pytest.raises(ContractError):
        decode_base64(base64.b64encode(bytes(1001)).decode(), 1000)


@given(st.binary(max_size=600), st.sampled_from(Mode), st.sampled_from(["", "application/json", MULTIPART]))
def test_any_body_gives_photos_or_a_documented_error(body: bytes, mode: Mode, header: str) -> None:
    refused = None
    try:
        photos = take_photos(mode, header, body, LIMIT)
    except ContractError as error:
        refused = error.code
    else:
        assert photos.image1
        assert photos.image2
    assert refused in (None, ErrorCode.NO_CONTENT, ErrorCode.BAD_IMAGE, ErrorCode.BAD_FORMAT_TYPE)
