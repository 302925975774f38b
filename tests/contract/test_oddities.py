"""Odd requests of real clients; one request for each oddity of the contract."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

V2 = "/api/v2/ekyc/face_matching"
V3 = "/api/v3/ekyc/face_matching"
FILE = {"type1": "card", "format_type": "file"}
BASE64 = {"type1": "card", "format_type": "base64"}


@pytest.fixture
def matched(envelope: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def check(response: Any) -> dict[str, Any]:
        """The data of a reply that found the same person twice."""
        assert response.status_code == 200
        content = envelope(response)
        assert content["errorCode"] == "0", content
        assert content["data"]["match"] == "1"
        data: dict[str, Any] = content["data"]
        return data

    return check


def multipart(photo: bytes, head1: str, head2: str, boundary: str = "XyZ") -> bytes:
    parts = [f"--{boundary}\r\n{head}\r\n\r\n".encode() + photo + b"\r\n" for head in (head1, head2)]
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


def test_type1_left_out_is_card(live: Any, astronaut_jpeg: bytes, matched: Callable[..., Any]) -> None:
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    matched(live.post(params={"format_type": "file"}, files=files))


def test_type1_portrait(live: Any, astronaut_jpeg: bytes, matched: Callable[..., Any]) -> None:
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    response = live.post(params={"type1": "portrait", "format_type": "file"}, files=files)
    matched(response)
    codes = {int(code) for code in response.headers["X-Facematch-Warnings"].split(",")}
    assert not codes & {1, 2, 3, 4}


def test_v3_is_an_alias(live: Any, astronaut_jpeg: bytes, matched: Callable[..., Any]) -> None:
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    replies = [matched(live.post(path, params=FILE, files=files)) for path in (V2, V3)]
    assert replies[0] == replies[1]


def test_unknown_parameters_are_ignored(live: Any, astronaut_jpeg: bytes, matched: Callable[..., Any]) -> None:
    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    matched(live.post(params={**FILE, "is_thumb": "false", "get_thumb": "false", "x": "ảnh"}, files=files))


@pytest.mark.parametrize("how", ["encoded", "encodeURI", "plain"])
def test_urls_with_queries(
    live: Any, photo_server: Any, matched: Callable[..., Any], how: str, envelope: Callable[..., Any]
) -> None:
    url = photo_server.url + "/astronaut.jpg?X-Sig=a%2Bb&Expires=99&type=x"
    write = {
        "encoded": lambda text: quote(text, safe=""),
        "encodeURI": lambda text: quote(text, safe=";,/?:@&=+$-_.!~*'()#"),
        "plain": lambda text: text,
    }[how]
    photo_server.asked.clear()
    # Written into a raw request: HTTP libraries would repair it.
    target = f"{V2}?img1={write(url)}&img2={write(url)}&type1=card&is_thumb=false&format_type=url&get_thumb=false"
    answer = live.raw(
        f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: {live.basic}\r\nConnection: close\r\n\r\n".encode()
    )
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert json.loads(body)["data"]["match"] == "1"
    assert photo_server.asked == ["/astronaut.jpg?X-Sig=a%2Bb&Expires=99&type=x"] * 2


def test_urls_the_way_requests_writes_params(live: Any, photo_server: Any, matched: Callable[..., Any]) -> None:
    url = photo_server.url + "/astronaut.jpg?a=1&b=2"
    photo_server.asked.clear()
    matched(live.get(params={"img1": url, "img2": url, "type1": "card", "format_type": "url"}))
    assert photo_server.asked == ["/astronaut.jpg?a=1&b=2"] * 2


BASE64_WAYS: dict[str, Callable[[bytes], str]] = {
    "lines of 76": lambda photo: base64.encodebytes(photo).decode(),
    "data URI": lambda photo: "data:image/jpeg;base64," + base64.b64encode(photo).decode(),
    "plus to space": lambda photo: base64.b64encode(photo).decode().replace("+", " "),
    "url-safe": lambda photo: base64.urlsafe_b64encode(photo).decode(),
    "no padding": lambda photo: base64.b64encode(photo).decode().rstrip("="),
}


@pytest.mark.parametrize("way", BASE64_WAYS)
def test_base64(live: Any, astronaut_jpeg: bytes, matched: Callable[..., Any], way: str) -> None:
    # A trailing byte after the JPEG's end marker makes sure that there is padding to leave out.
    photo = astronaut_jpeg + bytes((-len(astronaut_jpeg)) % 3 + 1)
    text = BASE64_WAYS[way](photo)
    matched(live.post(params=BASE64, json={"img1": text, "img2": text}))


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Type": "application/json", "contentType": "multipart/form-data"},
        {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*", "Origin": "http://page.example"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {},
    ],
)
def test_json_headers(live: Any, astronaut_jpeg: bytes, matched: Callable[..., Any], headers: dict[str, str]) -> None:
    text = base64.b64encode(astronaut_jpeg).decode()
    body = json.dumps({"img1": text, "img2": text, "extra": {"a": [1]}}).encode()
    matched(live.post(params=BASE64, data=body, headers=headers))


@pytest.mark.parametrize(
    ("head1", "head2"),
    [
        ('name="img1"; filename="demo_4."', 'name="img2"; filename="demo_4."'),
        ('name="img1"; filename=""', 'name="img2"; filename="a.txt"\r\nContent-Type: text/plain'),
        ('name="img1"', 'name="img2"\r\nContent-Type: application/json'),
        ('name="img1"; filename="ảnh thẻ.jpg"', "name=\"img2\"; filename*=UTF-8''%E1%BA%A3nh.jpg"),
        ("name=img1; filename=a.jpg", 'name="img2"; filename="blob"\r\nContent-Type: video/mp4'),
    ],
)
def test_multipart_parts(live: Any, astronaut_jpeg: bytes, matched: Callable[..., Any], head1: str, head2: str) -> None:
    body = multipart(
        astronaut_jpeg, f"Content-Disposition: form-data; {head1}", f"Content-Disposition: form-data; {head2}"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=XyZ"}
    matched(live.post(params=FILE, data=body, headers=headers))


@pytest.mark.parametrize("header", ["multipart/form-data", "application/octet-stream", None])
def test_multipart_whose_header_lost_the_boundary(
    live: Any, astronaut_jpeg: bytes, matched: Callable[..., Any], header: str | None
) -> None:
    head = 'Content-Disposition: form-data; name="img{}"; filename="a.jpg"'
    body = multipart(astronaut_jpeg, head.format(1), head.format(2))
    matched(live.post(params=FILE, data=body, headers={"Content-Type": header} if header else {}))


def test_chunked_body(live: Any, astronaut_jpeg: bytes, matched: Callable[..., Any]) -> None:
    head = 'Content-Disposition: form-data; name="img{}"; filename="a.jpg"'
    body = multipart(astronaut_jpeg, head.format(1), head.format(2))
    pieces = (body[start : start + 1000] for start in range(0, len(body), 1000))
    matched(live.post(params=FILE, data=pieces, headers={"Content-Type": "multipart/form-data; boundary=XyZ"}))


def test_browser_preflight(live: Any) -> None:
    response = live.send(
        "OPTIONS",
        V2 + "?format_type=file",
        auth=None,
        headers={
            "Origin": "https://page.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,access-control-allow-origin,contenttype",
        },
    )
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    allowed = response.headers["Access-Control-Allow-Headers"].lower()
    assert all(name in allowed for name in ("authorization", "content-type", "access-control-allow-origin"))


@pytest.mark.parametrize("auth", [True, False])
def test_browsers_may_read_any_reply(live: Any, auth: bool) -> None:
    response = live.get(auth=live.auth if auth else None, headers={"Origin": "https://page.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Facematch-Warnings" in response.headers["Access-Control-Expose-Headers"]


def test_photos_of_all_formats(live: Any, astronaut: Any, encode: Callable[..., bytes], matched: Any) -> None:
    for name in ("PNG", "WEBP", "BMP", "TIFF", "GIF"):
        photo = encode(astronaut[:256, 100:356], name)
        matched(live.post(params=FILE, files={"img1": ("x.jpg", photo), "img2": ("x.jpg", photo)}))


def test_keep_alive(live: Any, astronaut_jpeg: bytes, matched: Callable[..., Any]) -> None:
    """One connection serves a success, an early refusal with an unread body, and a success again."""
    import requests

    files = {"img1": astronaut_jpeg, "img2": astronaut_jpeg}
    with requests.Session() as session:
        session.auth = live.auth
        for wanted in ("0", "6", "0"):
            params = {**FILE, "format_type": "file" if wanted == "0" else "url"}
            response = session.post(live.url + V2, params=params, files=files, timeout=60)
            assert response.json()["errorCode"] == wanted


def test_query_credentials_do_not_count(live: Any, envelope: Callable[..., Any]) -> None:
    query = urlencode({"api_key": live.auth[0], "api_secret": live.auth[1], "format_type": "url"})
    assert envelope(live.get(f"{V2}?{query}", auth=None))["errorCode"] == "5"


def test_exif_orientation_is_applied(live: Any, astronaut: Any, astronaut_jpeg: bytes, matched: Any) -> None:
    import numpy as np
    from PIL import Image

    turned = Image.fromarray(np.rot90(astronaut[:, :, ::-1], 1).copy())
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise for viewing
    stream = io.BytesIO()
    turned.save(stream, "JPEG", exif=exif, quality=92)
    data = matched(live.post(params=FILE, files={"img1": stream.getvalue(), "img2": astronaut_jpeg}))
    crops = [Image.open(io.BytesIO(base64.b64decode(data[name]))) for name in ("face1", "face2")]
    assert all(abs(a - b) <= 4 for a, b in zip(crops[0].size, crops[1].size, strict=True))
