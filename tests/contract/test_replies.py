"""Replies: every errorCode by a real request, types and order of both profiles, the options."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from facematch_server.store import KeySettings
from facematch_server.wire.profile import Profile

V2 = "/api/v2/ekyc/face_matching"
FILE = {"type1": "card", "format_type": "file"}
BASE64 = {"type1": "card", "format_type": "base64"}
URL = {"type1": "card", "format_type": "url"}
ALPHABETICAL = [
    "face1",
    "face1_score",
    "face2",
    "face2_score",
    "invalidCode",
    "invalidMessage",
    "match",
    "matching",
]
MESSAGES = {
    "0": "Success",
    "1": "The photo does not contain content",
    "2": "Url is unavailable",
    "3": "Incorrect image format",
    "4": "Out of requests",
    "5": "Incorrect api_key or api_secret",
    "6": "Incorrect format type",
}

CHECK = Callable[[Any, str], None]


@pytest.fixture
def refused(envelope: Callable[..., dict[str, Any]]) -> CHECK:
    def check(response: Any, code: str) -> None:
        """HTTP 200, no data, the code and its text."""
        assert response.status_code == 200
        assert envelope(response) == {"data": None, "errorCode": code, "errorMessage": MESSAGES[code]}
        assert "X-Facematch-Warnings" not in response.headers

    return check


@pytest.fixture
def blank_jpeg() -> bytes:
    """A photo without a face."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (320, 240), (90, 120, 90)).save(stream, "JPEG")
    return stream.getvalue()


def two(photo1: bytes | None, photo2: bytes | None) -> dict[str, Any]:
    return {name: (name, photo) for name, photo in (("img1", photo1), ("img2", photo2)) if photo is not None} or {
        "other": b"x"
    }


# -- errorCode 5 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Basic " + base64.b64encode(b"a:").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + base64.b64encode(b"wrong:pair").decode(),
        "Bearer abc",
        "Digest username=x",
    ],
)
def test_5_for_anything_but_the_right_pair(live: Any, refused: CHECK, header: str) -> None:
    refused(live.get(params=URL, auth=None, headers={"Authorization": header} if header else {}), "5")


def test_5_for_a_wrong_secret_a_disabled_key_and_swapped_fields(live: Any, refused: CHECK) -> None:
    key, secret = live.auth
    refused(live.get(params=URL, auth=(key, secret + "x")), "5")
    refused(live.get(params=URL, auth=(secret, key)), "5")
    other = live.store.create_key(KeySettings(name="to be disabled"))
    live.store.disable_key(other.api_key)
    refused(live.get(params=URL, auth=(other.api_key, other.api_secret)), "5")


def test_the_scheme_is_case_insensitive(live: Any, refused: CHECK) -> None:
    header = live.basic.replace("Basic", "bASIC")
    refused(live.get(auth=None, headers={"Authorization": header}), "6")


# -- errorCode 4 -----------------------------------------------------------------------------------


def test_4_when_the_quota_is_used_up_and_only_success_counts(
    live: Any, refused: CHECK, astronaut_jpeg: bytes, envelope: Callable[..., Any]
) -> None:
    key = live.store.create_key(KeySettings(name="small", quota=2))
    auth = (key.api_key, key.api_secret)
    good = two(astronaut_jpeg, astronaut_jpeg)
    refused(live.post(params=FILE, files=two(b"no photo", astronaut_jpeg), auth=auth), "3")
    refused(live.post(params=FILE, files=two(None, None), auth=auth), "1")
    refused(live.post(params=URL, files=good, auth=auth), "6")
    for _ in range(2):
        assert envelope(live.post(params=FILE, files=good, auth=auth))["errorCode"] == "0"
    refused(live.post(params=FILE, files=good, auth=auth), "4")
    # 4 comes before 6, 1, 2 and 3.
    refused(live.post(params=URL, auth=auth), "4")
    assert live.store.usage(key.api_key).total == 2


def test_4_with_429_when_too_fast(live: Any, envelope: Callable[..., Any]) -> None:
    key = live.store.create_key(KeySettings(name="slow", rate_limit=1))
    auth = (key.api_key, key.api_secret)
    assert envelope(live.get(auth=auth))["errorCode"] == "6"
    response = live.get(auth=auth)
    assert response.status_code == 429
    assert envelope(response)["errorCode"] == "4"
    assert 1 <= int(response.headers["Retry-After"]) <= 60


# -- errorCode 6 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("GET", {}),
        ("GET", {"format_type": ""}),
        ("GET", {"format_type": "file"}),
        ("GET", {"format_type": "base64"}),
        ("GET", {"format_type": "url", "type1": "passport"}),
        ("POST", {}),
        ("POST", {"format_type": "url"}),
        ("POST", {"format_type": "zip"}),
    ],
)
def test_6_for_format_type_and_type1(live: Any, refused: CHECK, method: str, params: dict[str, str]) -> None:
    refused(live.send(method, params=params), "6")


def test_6_for_a_body_of_another_kind(live: Any, refused: CHECK, astronaut_jpeg: bytes) -> None:
    refused(live.post(params=BASE64, files=two(astronaut_jpeg, astronaut_jpeg)), "6")
    refused(live.post(params=FILE, json={"img1": "eHg=", "img2": "eHg="}), "6")
    refused(live.post(params=FILE, data={"img1": "x", "img2": "y"}), "6")


# -- errorCode 1 -----------------------------------------------------------------------------------


def test_1_in_file_mode(live: Any, refused: CHECK, astronaut_jpeg: bytes) -> None:
    for photos in ((None, None), (astronaut_jpeg, None), (None, astronaut_jpeg), (b"", b""), (b"junk", b"")):
        refused(live.post(params=FILE, files=two(*photos)), "1")
    refused(live.post(params=FILE), "1")


def test_1_in_base64_mode(live: Any, refused: CHECK) -> None:
    for body in ({}, {"img1": "eHg="}, {"img1": "eHg=", "img2": ""}, {"img1": None, "img2": None}, [], "x", None):
        refused(live.post(params=BASE64, json=body), "1")
    refused(live.post(params=BASE64, data=b"{", headers={"Content-Type": "application/json"}), "1")


def test_1_in_url_mode(live: Any, refused: CHECK, photo_server: Any) -> None:
    photo = photo_server.url + "/astronaut.jpg"
    refused(live.get(params=URL), "1")
    refused(live.get(params={**URL, "img1": photo}), "1")
    refused(live.get(params={**URL, "img1": photo, "img2": ""}), "1")
    refused(live.get(params={**URL, "img1": photo, "img2": photo_server.url + "/empty"}), "1")
    # A missing photo comes before an unavailable one.
    refused(live.get(params={**URL, "img1": photo_server.url + "/none"}), "1")


# -- errorCode 2 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["no url", "ftp://127.0.0.1/a.jpg", "file:///etc/passwd", "http://", "http://127.0.0.1:1/a.jpg", "//x/y"]
)
def test_2_for_urls_that_give_nothing(live: Any, refused: CHECK, photo_server: Any, url: str) -> None:
    good = photo_server.url + "/astronaut.jpg"
    refused(live.get(params={**URL, "img1": good, "img2": url}), "2")
    refused(live.get(params={**URL, "img1": url, "img2": good}), "2")


def test_2_for_a_photo_that_is_not_there(live: Any, refused: CHECK, photo_server: Any) -> None:
    good = photo_server.url + "/astronaut.jpg"
    refused(live.get(params={**URL, "img1": good, "img2": photo_server.url + "/none.jpg"}), "2")


# -- errorCode 3 -----------------------------------------------------------------------------------


def test_3_for_bytes_that_are_no_photo(live: Any, refused: CHECK, astronaut_jpeg: bytes) -> None:
    for junk in (b"junk", b"\xff\xd8\xff", astronaut_jpeg[:200], b"<svg/>", b"%PDF-1.7", bytes(1000)):
        refused(live.post(params=FILE, files=two(junk, b"junk")), "3")
    refused(live.post(params=FILE, files=two(b"junk", astronaut_jpeg)), "3")
    refused(live.post(params=FILE, files=two(astronaut_jpeg, b"junk")), "3")


def test_3_for_text_that_is_no_base64(live: Any, refused: CHECK) -> None:
    for wrong in ("***", 7, ["x"], {"a": 1}, "ảnh"):
        refused(live.post(params=BASE64, json={"img1": wrong, "img2": "eHg="}), "3")


def test_3_for_a_photo_with_too_many_pixels(live: Any, refused: CHECK, astronaut_jpeg: bytes) -> None:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("1", (7100, 7100)).save(stream, "PNG")
    refused(live.post(params=FILE, files=two(astronaut_jpeg, stream.getvalue())), "3")


def test_3_for_a_photo_with_too_many_bytes(live: Any, refused: CHECK, astronaut_jpeg: bytes) -> None:
    heavy = astronaut_jpeg + bytes(10 * 1024 * 1024)
    refused(live.post(params=FILE, files=two(heavy, astronaut_jpeg)), "3")
    refused(live.post(params=BASE64, json={"img1": base64.b64encode(heavy).decode(), "img2": "eHg="}), "3")
    refused(live.post(params=FILE, files=two(heavy * 2, astronaut_jpeg)), "3")


def test_3_in_url_mode(live: Any, refused: CHECK, photo_server: Any) -> None:
    photo_server.photos["/junk"] = b"junk"
    params = {**URL, "img1": photo_server.url + "/junk", "img2": photo_server.url + "/astronaut.jpg"}
    refused(live.get(params=params), "3")
    # An unavailable photo comes before a broken one.
    refused(live.get(params={**params, "img2": photo_server.url + "/none"}), "2")


# -- errorCode 0 -----------------------------------------------------------------------------------


@pytest.mark.parametrize("faces", ["neither", "second", "first"])
def test_no_face_never_fails_open(
    live: Any, astronaut_jpeg: bytes, blank_jpeg: bytes, envelope: Callable[..., Any], faces: str
) -> None:
    first = astronaut_jpeg if faces == "first" else blank_jpeg
    second = astronaut_jpeg if faces == "second" else blank_jpeg
    response = live.post(params=FILE, files=two(first, second))
    data = envelope(response)["data"]
    assert (data["matching"], data["match"]) == ("0.0", "-1")
    assert bool(data["face1"]) == bool(data["face1_score"]) == (faces == "first")
    assert bool(data["face2"]) == bool(data["face2_score"]) == (faces == "second")
    codes = [int(code) for code in response.headers["X-Facematch-Warnings"].split(",")]
    assert codes == sorted(codes)
    assert (4 in codes, 5 in codes) == (faces != "first", faces != "second")
    assert data["invalidCode"] == str(codes[0])


def test_different_people_do_not_match(
    live: Any, astronaut_jpeg: bytes, group_photo_jpeg: bytes, envelope: Callable[..., Any]
) -> None:
    response = live.post(params={**FILE, "type1": "portrait"}, files=two(astronaut_jpeg, group_photo_jpeg))
    data = envelope(response)["data"]
    assert data["match"] == "-1"
    # A warning does not stop the comparison: six people, and still both faces.
    assert "6" in response.headers["X-Facematch-Warnings"].split(",")
    assert data["face1"]
    assert data["face2"]
    assert 0 <= float(data["matching"]) < 65


def test_crops_are_jpegs_in_one_line(live: Any, astronaut_jpeg: bytes, envelope: Callable[..., Any]) -> None:
    from PIL import Image

    data = envelope(live.post(params=FILE, files=two(astronaut_jpeg, astronaut_jpeg)))["data"]
    for name in ("face1", "face2"):
        assert "\n" not in data[name]
        with Image.open(io.BytesIO(base64.b64decode(data[name], validate=True))) as crop:
            assert crop.format == "JPEG"
    for name in ("face1_score", "face2_score"):
        assert 0.5 <= float(data[name]) <= 1
        assert 1 <= len(data[name].partition(".")[2]) <= 6


def test_observed_profile_by_key(live: Any, astronaut_jpeg: bytes) -> None:
    key = live.store.create_key(KeySettings(name="old client", profile=Profile.OBSERVED))
    auth = (key.api_key, key.api_secret)
    response = live.post(params=FILE, files=two(astronaut_jpeg, astronaut_jpeg), auth=auth)
    content = json.loads(response.text)
    assert list(content) == ["data", "errorCode", "errorMessage"]
    assert list(content["data"]) == ALPHABETICAL
    assert type(content["data"]["invalidCode"]) is int
    assert all(type(value) is str for name, value in content["data"].items() if name != "invalidCode")


def test_options(
    start: Callable[..., Any], astronaut_jpeg: bytes, blank_jpeg: bytes, envelope: Callable[..., Any]
) -> None:
    other = start(wire_profile="observed", auth_failure_status=401, no_face_as="error3", cors_origins="")
    response = other.get(auth=("a", "b"))
    assert response.status_code == 401
    assert envelope(response)["errorCode"] == "5"
    good = two(astronaut_jpeg, astronaut_jpeg)
    content = json.loads(other.post(params=FILE, files=good).text)
    assert list(content["data"]) == ALPHABETICAL
    # A key's own profile wins over the server's.
    key = other.store.create_key(KeySettings(name="documented", profile=Profile.DOCUMENTED))
    content = json.loads(other.post(params=FILE, files=good, auth=(key.api_key, key.api_secret)).text)
    assert content["data"]["invalidCode"] == str(content["data"]["invalidCode"])
    assert next(iter(content["data"])) == "matching"
    for photos in ((blank_jpeg, astronaut_jpeg), (astronaut_jpeg, blank_jpeg)):
        assert envelope(other.post(params=FILE, files=two(*photos)))["errorCode"] == "3"
    assert "Access-Control-Allow-Origin" not in other.get(headers={"Origin": "http://page.example"}).headers


# -- outside the contract --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "TRACE", "BREW"])
def test_other_methods(live: Any, envelope: Callable[..., Any], method: str) -> None:
    response = live.send(method, params=FILE)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, POST"
    if method == "HEAD":
        assert response.text == ""
    else:
        assert envelope(response)["errorCode"] == "6"


@pytest.mark.parametrize("path", ["/api", "/api/v2/ekyc/id_card", V2 + "/x", "/%00", "/..%2f..%2fetc"])
def test_other_paths(live: Any, envelope: Callable[..., Any], path: str) -> None:
    response = live.get(path, allow_redirects=False)
    assert response.status_code == 404
    assert envelope(response)["errorCode"] == "404"


def test_request_ids(live: Any) -> None:
    assert live.get(headers={"X-Request-ID": "proxy-given-1"}).headers["X-Request-ID"] == "proxy-given-1"
    for odd in ("x", "a" * 65, "with space here", "ảnh".encode()):
        assert len(live.get(headers={"X-Request-ID": odd}).headers["X-Request-ID"]) == 16
