"""The reply to every input is an envelope and not a 5xx, and no input causes a traceback."""

from __future__ import annotations

import base64
import json
import random
import socket
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mutated_requests import good_requests, judged, mutated_request, outcome_of, wrong

V2 = "/api/v2/ekyc/face_matching"
DOCUMENTED = {"0", "1", "2", "3", "4", "5", "6"}
FUZZ = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
THOROUGH = settings(FUZZ, max_examples=400)


@pytest.fixture(params=[FUZZ, pytest.param(THOROUGH, marks=pytest.mark.slow)], ids=["few", "many"])
def amount(request: pytest.FixtureRequest) -> settings:
    """How many requests to try."""
    how: settings = request.param
    return how


def check(response: Any) -> str:
    content = json.loads(response.text)
    assert response.status_code == 200, (response.status_code, content)
    assert list(content) == ["data", "errorCode", "errorMessage"]
    assert content["errorCode"] in DOCUMENTED
    if content["data"] is not None and not (content["data"]["face1"] and content["data"]["face2"]):
        assert content["data"]["match"] == "-1"
    code: str = content["errorCode"]
    return code


@pytest.fixture(scope="module")
def photos(astronaut: Any, encode: Any) -> list[bytes]:
    """The same small photo in several formats: where a mutation hits depends on the container."""
    small = astronaut[:256, 100:356]
    return [encode(small, name) for name in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")]


@st.composite
def mutations(draw: Any) -> tuple[int, list[tuple[float, int]], float, bytes]:
    """The photo, the bytes to overwrite (position as a share of the length), the cut, and the bytes to append."""
    which = draw(st.integers(0, 5))
    place = st.one_of(st.floats(0, 0.02), st.floats(0, 1, exclude_max=True))
    edits = draw(st.lists(st.tuples(place, st.integers(0, 255)), max_size=12))
    cut = draw(st.one_of(st.just(1.0), st.floats(0, 1)))
    return which, edits, cut, draw(st.binary(max_size=20))


def mutated(photos: list[bytes], mutation: tuple[int, list[tuple[float, int]], float, bytes]) -> bytes:
    which, edits, cut, tail = mutation
    data = bytearray(photos[which])
    for place, value in edits:
        data[int(place * len(data))] = value
    return bytes(data[: int(cut * len(data))]) + tail


def send_mutated(live: Any, photos: list[bytes], mutation: Any) -> None:
    files = {"img1": mutated(photos, mutation), "img2": photos[0]}
    check(live.post(params={"format_type": "file"}, files=files))


def test_mutated_and_truncated_photos(live: Any, photos: list[bytes], amount: settings) -> None:
    @amount
    @given(mutations())
    def send(mutation: Any) -> None:
        send_mutated(live, photos, mutation)

    send()


def _header_value(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1").strip() or "x"


header_values = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60).map(_header_value)
content_types = st.one_of(
    header_values,
    st.sampled_from(
        [
            "application/json",
            "application/json; charset=utf-16",
            "multipart/form-data",
            "multipart/form-data; boundary=b",
            'multipart/form-data; boundary="b',
            "multipart/form-data; boundary=" + "b" * 300,
            "multipart/mixed; boundary=b",
            "text/plain",
        ]
    ),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.just("eHg=")),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)
json_bodies = st.one_of(
    json_values, st.fixed_dictionaries({}, optional={"img1": json_values, "img2": json_values})
).map(lambda value: json.dumps(value).encode())
form_pieces = st.lists(
    st.sampled_from(
        [
            b"--b\r\n",
            b"--b--\r\n",
            b"\r\n",
            b'Content-Disposition: form-data; name="img1"\r\n',
            b'Content-Disposition: form-data; name="img2"; filename="\r\n',
            b"Content-Disposition: form-data; name*=UTF-8''img1\r\n",
            b"Content-Type: image/jpeg\r\n",
            b"bytes",
            b"\xff\xd8\xff\xe0",
            b": :\r\n",
        ]
    ),
    max_size=14,
).map(b"".join)
queries = st.one_of(
    st.sampled_from(["format_type=file", "format_type=base64", "type1=portrait&format_type=file", ""]),
    st.text(max_size=60),
)


def test_any_body_and_headers(live: Any, amount: settings) -> None:
    @amount
    @given(
        body=st.one_of(st.binary(max_size=300), json_bodies, form_pieces),
        content_type=content_types,
        query=queries,
        headers=st.dictionaries(
            st.sampled_from(["Accept", "Origin", "Range", "Expect-CT", "X-Request-ID"]), header_values
        ),
    )
    def send(body: bytes, content_type: str, query: str, headers: dict[str, str]) -> None:
        given_headers = {name: value.encode("latin-1") for name, value in headers.items()}
        given_headers["Content-Type"] = content_type.encode("latin-1")
        assert check(live.post(f"{V2}?{query}", data=body, headers=given_headers)) != "0"

    send()


def test_any_url(live: Any, amount: settings) -> None:
    @amount
    @given(st.text(max_size=80), st.text(max_size=80))
    def send(url1: str, url2: str) -> None:
        params = {"format_type": "url", "img1": url1, "img2": url2}
        assert check(live.get(params=params)) in ("1", "2", "6")

    send()


def test_any_credentials(live: Any, amount: settings) -> None:
    @amount
    @given(st.binary(max_size=60), st.binary(max_size=60))
    def send(user: bytes, password: bytes) -> None:
        header = "Basic " + base64.b64encode(user + b":" + password).decode()
        assert check(live.get(auth=None, headers={"Authorization": header})) == "5"

    send()


@pytest.fixture(scope="module")
def impatient(start: Callable[..., Any]) -> Any:
    """A service with short limits, so that every mutated request ends."""
    return start(header_seconds=1, body_seconds=1, keep_alive_seconds=1)


def send_mutated_requests(live: Any, count: int, seed: int = 1) -> None:
    good = good_requests(live)
    outcomes: Counter[str] = Counter()

    def one(number: int) -> None:
        source = random.Random(f"{seed}-{number}")  # noqa: S311
        request = mutated_request(source, good)
        with closing(socket.create_connection(("127.0.0.1", live.port), timeout=10)) as sock:
            outcome = outcome_of(sock, request, half_close=source.random() < 0.95)
        outcomes[outcome] += 1
        assert not wrong(outcome), (seed, number, outcome, request[:3000])

    with ThreadPoolExecutor(16) as threads:  # many requests end with a limit of time
        list(threads.map(one, range(count)))
    assert outcomes["closed"] < count / 2  # else nothing was tried
    assert live.get("/healthz", timeout=10).status_code == 200


def test_mutated_requests(impatient: Any) -> None:
    send_mutated_requests(impatient, 80)


@pytest.mark.slow
def test_10_000_mutated_requests(impatient: Any) -> None:
    send_mutated_requests(impatient, 10_000)


def test_good_requests_are_good(impatient: Any) -> None:
    """The mutated requests are valid before the mutation."""
    for request in good_requests(impatient):
        with closing(socket.create_connection(("127.0.0.1", impatient.port), timeout=20)) as sock:
            assert outcome_of(sock, request, half_close=True) in ("200", "404"), request[:100]


@pytest.mark.parametrize(
    ("received", "outcome"),
    [
        (b"", "closed"),
        (b"junk", "NO HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{}", "CUT SHORT"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}", "200"),
        (b"HTTP/1.1 400 No\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}", "NO ENVELOPE"),
        (b"HTTP/1.1 400 No\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\n{}", "NO JSON"),
        (b"HTTP/1.1 500 No\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}", "STATUS 500"),
        (b"HTTP/1.1 501 No\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}", "STATUS 501"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "NO LENGTH"),
    ],
)
def test_the_judgement_can_fail(received: bytes, outcome: str) -> None:
    assert judged(received, b"GET / HTTP/1.1\r\n\r\n") == outcome
    assert wrong(outcome) == outcome.isupper()


def test_no_traceback_was_logged(live: Any, impatient: Any) -> None:
    """Runs last in this file: after all of the above, not one fault."""
    for logs in (live.logs, impatient.logs):
        assert "fault" not in [json.loads(line)["message"] for line in logs]
        assert "Traceback" not in "".join(logs)
