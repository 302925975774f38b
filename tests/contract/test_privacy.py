"""Nothing of a photo, a URL's query or a secret reaches the logs, the metrics or the disk."""

from __future__ import annotations

import base64
import contextlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

V2 = "/api/v2/ekyc/face_matching"
FILE = {"type1": "card", "format_type": "file"}
BASE64 = {"type1": "card", "format_type": "base64"}
URL = {"type1": "card", "format_type": "url"}


def everything(live: Any, photo_server: Any, photo: bytes) -> None:
    """One request of each kind, good and bad."""
    text = base64.b64encode(photo).decode()
    photo_url = photo_server.url + "/astronaut.jpg?signature=QUERY-OF-A-URL"
    files = {"img1": ("FILE-NAME-OF-A-PERSON.jpg", photo), "img2": ("x.jpg", photo)}
    live.post(params=FILE, files=files)
    live.post(params={**FILE, "own": "PARAMETER-OF-A-CLIENT"}, files=files)
    live.post(params=FILE, files={"img1": b"JUNK-FOR-A-PHOTO", "img2": photo})
    live.post(params=BASE64, json={"img1": text, "img2": text})
    live.post(params=BASE64, json={"img1": "NO*BASE64*AT*ALL", "img2": text})
    live.post(params=BASE64, data="{NO-JSON-AT-ALL", headers={"Content-Type": "application/json"})
    live.get(params={**URL, "img1": photo_url, "img2": photo_url})
    live.get(params={**URL, "img1": photo_url, "img2": photo_server.url + "/PATH-OF-A-PHOTO.jpg"})
    live.get(params={**URL, "img1": photo_url, "img2": "http://HOST-THAT-IS-NOT.invalid/x"})
    live.get(params=URL, auth=("WRONG-KEY", "WRONG-SECRET"))
    live.get(params=URL, auth=(live.auth[0], "WRONG-SECRET"))
    live.get("/PATH-MADE-UP-BY-A-CLIENT?x=QUERY-MADE-UP")
    live.post("/v1/compare", files=files)
    live.get(headers={"X-Request-ID": "REQUEST ID WITH BLANKS"})
    live.raw(b"GARBAGE-INSTEAD-OF-HTTP\r\n\r\n", seconds=1)
    head = (
        f"POST {V2}?format_type=file HTTP/1.1\r\nHost: x\r\nAuthorization: {live.basic}\r\nContent-Length: 99\r\n\r\n"
    )
    live.raw(head.encode() + b"HALF-A-BODY", seconds=0.2)
    live.send("BREW", V2)


REQUESTS = 16
FORBIDDEN = [
    "QUERY-OF-A-URL",
    "FILE-NAME-OF-A-PERSON",
    "PARAMETER-OF-A-CLIENT",
    "JUNK-FOR-A-PHOTO",
    "NO*BASE64",
    "NO-JSON",
    "PATH-OF-A-PHOTO",
    "HOST-THAT-IS-NOT",
    "WRONG-KEY",
    "WRONG-SECRET",
    "MADE-UP",
    "WITH BLANKS",
    "GARBAGE",
    "HALF-A-BODY",
    "BREW",
    "Traceback",
    "img1=",
]


@pytest.fixture(scope="module")
def used(start: Callable[..., Any], photo_server: Any, astronaut_jpeg: bytes) -> Any:
    """A service with debug logs after a full run."""
    live = start(body_seconds=0.4)
    everything(live, photo_server, astronaut_jpeg)
    for _ in range(500):  # the line of a request is written after its reply is sent
        if sum('"message": "request"' in line for line in live.logs) >= REQUESTS:
            break
        time.sleep(0.02)
    return live


def test_logs(used: Any, astronaut_jpeg: bytes) -> None:
    lines = [json.loads(line) for line in used.logs]
    # The test's own client logs into the same process, and a service of another test may still finish a request.
    own = [line for line in lines if not line["logger"].startswith(("urllib3", "charset_normalizer"))]
    assert sum(line["message"] == "request" for line in own) >= REQUESTS
    text = json.dumps(own)
    encoded = base64.b64encode(astronaut_jpeg).decode()
    secrets = [*used.auth, used.basic.removeprefix("Basic "), encoded[100:140], encoded[2000:2040], "/9j/4"]
    for forbidden in FORBIDDEN + secrets:
        assert forbidden.lower() not in text.lower(), forbidden


def test_a_request_is_logged_with_what_an_operator_needs(used: Any) -> None:
    requests = [line for line in map(json.loads, used.logs) if line["message"] == "request"]
    first = requests[0]
    assert first["route"] == V2
    assert (first["method"], first["status"], first["error_code"]) == ("POST", 200, "0")
    assert first["invalid_code"].isdigit()
    assert first["key"]
    assert len(first["request_id"]) == 16
    assert first["level"] == "INFO"
    assert first["time"][:2] == "20"
    assert {"ms", "body_ms", "queue_ms", "decode_ms", "detect_ms", "embed_ms", "print_ms"} <= set(first)
    assert {line["route"] for line in requests} >= {V2, "/v1/compare", "(unknown)"}
    assert len({line["request_id"] for line in requests}) == len(requests)


def test_metrics(used: Any) -> None:
    text = used.get("/metrics", auth=None).text
    for forbidden in [*FORBIDDEN, *used.auth]:
        assert forbidden.lower() not in text.lower(), forbidden


def test_nothing_of_a_request_is_written_to_disk(live: Any, astronaut_jpeg: bytes) -> None:
    """No file is opened for writing but the database's, even for uploads of several megabytes."""
    photo = astronaut_jpeg + bytes(1_300_001)
    assert len(photo) > 1_300_000  # over the 1 MiB from which Starlette spools
    opened: list[str] = []
    armed = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not armed:
            return
        if event == "open":
            path, mode, flags = arguments
            writing = (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & 3)
            if writing:
                opened.append(str(path))
        elif event in ("tempfile.mkstemp", "tempfile.mkdtemp"):
            opened.append(str(arguments[0]))

    sys.addaudithook(hook)  # cannot be taken off again, only switched off
    try:
        files = {"img1": ("a.jpg", photo), "img2": ("b.jpg", photo)}
        assert live.post(params=FILE, files=files).json()["errorCode"] == "0"
        text = base64.b64encode(photo).decode()
        assert live.post(params=BASE64, json={"img1": text, "img2": text}).json()["errorCode"] == "0"
        assert live.post("/v1/compare", files=files).status_code == 200
        with contextlib.suppress(Exception):
            live.raw(b"POST / HTTP/1.1\r\nContent-Length: 3000000\r\n\r\n" + bytes(3_000_000), seconds=0.2)
    finally:
        armed = False
    assert [path for path in opened if "facematch.db" not in path] == []
