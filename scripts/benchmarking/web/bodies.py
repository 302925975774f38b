"""The requests of a comparison in the three modes of the contract, and requests that are refused."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from scripts.benchmarking.photos import Pair

PATH: Final = "/api/v2/ekyc/face_matching?type1=card&format_type="
_BOUNDARY: Final = "facematch-benchmark"


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """A request as sent, without its `Host`.

    Attributes:
        method, target, headers, body: of HTTP.
        expected: bytes that the body of a right reply contains.
    """

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    expected: bytes = b""


def basic(auth: tuple[str, str]) -> dict[str, str]:
    """The header of Basic authentication."""
    return {"Authorization": "Basic " + base64.b64encode(":".join(auth).encode()).decode()}


def form_body(pair: Pair) -> tuple[str, bytes]:
    """A multipart form of both photos: its `Content-Type` and its bytes."""
    body = b"".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.jpg"\r\n'.encode()
        + b"Content-Type: image/jpeg\r\n\r\n"
        + photo
        + b"\r\n"
        for name, photo in (("img1", pair.card), ("img2", pair.portrait))
    )
    return f"multipart/form-data; boundary={_BOUNDARY}", body + f"--{_BOUNDARY}--\r\n".encode()


def json_body(pair: Pair) -> bytes:
    """Both photos as base64 in JSON."""
    photos = {"img1": pair.card, "img2": pair.portrait}
    return json.dumps({name: base64.b64encode(photo).decode() for name, photo in photos.items()}).encode()


def contract_requests(pair: Pair, auth: tuple[str, str], urls: tuple[str, str]) -> dict[str, Request]:
    """A comparison in each mode, and two requests that get an error at once.

    Args:
        pair: the photos.
        auth: API key and secret.
        urls: of the same photos.
    """
    known = basic(auth)
    form_type, form = form_body(pair)
    wrong = basic((auth[0], "0" * len(auth[1])))
    asked = "&".join(f"img{number}={quote(url, safe='')}" for number, url in enumerate(urls, 1))
    success = b'"errorCode":"0"'
    return {
        "json": Request(
            "POST", f"{PATH}base64", {**known, "Content-Type": "application/json"}, json_body(pair), success
        ),
        "multipart": Request("POST", f"{PATH}file", {**known, "Content-Type": form_type}, form, success),
        "url": Request("GET", f"{PATH}url&{asked}", known, None, success),
        "wrong key": Request("GET", f"{PATH}url&{asked}", wrong, None, b'"errorCode":"5"'),
        "bad format": Request("GET", f"{PATH}base64", known, None, b'"errorCode":"6"'),
    }


def plain_request(pair: Pair) -> Request:
    """A comparison by the service of other software, see `plain_service`."""
    form_type, form = form_body(pair)
    return Request("POST", "/compare", {"Content-Type": form_type}, form, b'"score"')
