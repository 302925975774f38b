"""Base64 longer than one window of the decoder, and the letters that say what a body is."""

from __future__ import annotations

import base64
import random

import pytest

from facematch_local.codes import ErrorCode
from facematch_server.errors import ContractError
from facematch_server.wire.photos import _WINDOW, PhotoPair, decode_base64, take_photos
from facematch_server.wire.query import Mode

LIMIT = 10 * 1024 * 1024


@pytest.mark.parametrize("shift", range(-4, 5))
def test_every_length_around_a_window_is_decoded_whole(shift: int) -> None:
    photo = random.Random(shift).randbytes(2 * 1024 * 1024 * 3 // 4 + shift)  # noqa: S311
    assert decode_base64(base64.b64encode(photo), LIMIT) == photo


@pytest.mark.parametrize(("blanks", "code"), [(255, ErrorCode.NO_CONTENT), (256, ErrorCode.BAD_FORMAT_TYPE)])
def test_a_form_is_known_by_its_first_256_bytes(blanks: int, code: ErrorCode) -> None:
    """254 blanks leave room for both dashes; a form that begins later is not looked for without a header."""
    body = b" " * (blanks - 1) + b'--b\r\nContent-Disposition: form-data; name="img1"\r\n\r\nx\r\n--b--'
    with pytest.raises(ContractError) as raised:
        take_photos(Mode.FILE, "text/html", body, LIMIT)
    assert raised.value.code is code


@pytest.mark.parametrize(("blanks", "read"), [(255, True), (256, False)])
def test_json_is_known_by_its_first_256_bytes(blanks: int, read: bool) -> None:
    """`curl -d` states a web form for whatever it sends."""
    body = b" " * blanks + b'{"img1": "eHg=", "img2": "eXk="}'
    form = "application/x-www-form-urlencoded"
    if read:
        assert take_photos(Mode.BASE64, form, body, LIMIT) == PhotoPair(b"xx", b"yy")
    else:
        with pytest.raises(ContractError) as raised:
            take_photos(Mode.BASE64, form, body, LIMIT)
        assert raised.value.code is ErrorCode.BAD_FORMAT_TYPE


def test_without_a_mode_the_body_decides() -> None:
    head = b'Content-Disposition: form-data; name="%b"\r\n\r\n'
    form = b"--b\r\n" + head % b"img1" + b"xx\r\n--b\r\n" + head % b"img2" + b"yy\r\n--b--"
    json = b'{"img1": "eHg=", "img2": "eXk="}'
    for header, body in (("multipart/form-data; boundary=b", form), ("", form), ("application/json", json), ("", json)):
        assert take_photos(None, header, body, LIMIT) == PhotoPair(b"xx", b"yy")


@pytest.mark.parametrize("padding", [b"=", b"=="])
def test_padding_at_the_end_of_a_window_that_is_not_the_last(padding: bytes) -> None:
    """Two photos in one text are none: the second one would follow the first one unseen."""
    letters = base64.b64encode(bytes(3 * (_WINDOW // 4)))
    joined = letters[: _WINDOW - len(padding)] + padding + letters[:8]
    with pytest.raises(ContractError) as caught:
        decode_base64(joined, LIMIT)
    assert caught.value.code is ErrorCode.BAD_IMAGE


@pytest.mark.parametrize("rest", [0, 1, 2, 3])
@pytest.mark.parametrize("padded", [True, False])
def test_strict_and_sloppy_spellings_give_the_same_photo_and_the_same_limit(rest: int, padded: bool) -> None:
    photo = bytes(range(256)) * 12 + bytes(rest)
    letters = base64.b64encode(photo)
    spelt = letters if padded else letters.rstrip(b"=")
    for text in (spelt, spelt.translate(bytes.maketrans(b"+/", b"-_")), b" " + spelt + b"\n", spelt + b"===="):
        assert decode_base64(text, len(photo)) == photo
        with pytest.raises(ContractError) as caught:
            decode_base64(text, len(photo) - 1)
        assert "larger than" in caught.value.reason
