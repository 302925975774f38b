"""The suite and the check before a move: they pass for a correct server, and report errors."""

from __future__ import annotations

import http.server
import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from facematch_server.conformance import Call, Case, CaseOutcome, Reply, Target, run, shape
from facematch_server.conformance.report import junit
from facematch_server.store import KeySettings
from facematch_server.wire.profile import Profile

pytestmark = pytest.mark.usefixtures("samples_drawn_once")

CROP = "/9j/2wBD"  # the first bytes of any JPEG
DATA = {
    "matching": "87.42",
    "face1": CROP,
    "face2": CROP,
    "face1_score": "0.999796",
    "face2_score": "0.99",
    "invalidCode": "0",
    "invalidMessage": "Successful",
    "match": "1",
}


def reply(data: Any = None, status: int = 200, headers: Any = None, **outer: Any) -> Reply:
    content = {"data": DATA if data is None else data, "errorCode": "0", "errorMessage": "Success", **outer}
    return Reply(status, {"content-type": "application/json", **(headers or {})}, json.dumps(content).encode())


def problems(of: Reply) -> str:
    return "; ".join([*shape.envelope(of), *shape.success(of)])


def test_good_replies_of_both_profiles() -> None:
    assert problems(reply()) == ""
    observed = reply({**dict(sorted(DATA.items())), "invalidCode": 0})
    assert problems(observed) == ""
    assert (shape.profile_of(reply()), shape.profile_of(observed)) == (Profile.DOCUMENTED, Profile.OBSERVED)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"matching": "87"}, "not a percentage"),
        ({"matching": "100.01"}, "not a percentage"),
        ({"matching": 87.42}, "not a string"),
        ({"matching": "75.0"}, "means 0"),
        ({"match": "0"}, "means 1"),
        ({"invalidCode": 0}, "neither profile"),
        ({"invalidCode": "13"}, "not one of 0 to 12"),
        ({"invalidMessage": None}, "not a string"),
        ({"invalidMessage": "successful"}, "not 'Successful'"),
        ({"invalidCode": "4", "invalidMessage": "The ID card photo does not contain a face"}, "but face1 is present"),
        ({"face1": "", "face1_score": ""}, "a face is missing"),
        ({"face1": ""}, "one is empty"),
        ({"face1": "data:image/jpeg;base64," + CROP}, "not plain base64"),
        ({"face1": "iVBORw0KGgo="}, "not a JPEG"),
        ({"face1_score": "1.5"}, "not a number from 0 to 1"),
        ({"face1_score": "0.9997961"}, "not a number from 0 to 1"),
    ],
)
def test_what_is_wrong_with_a_comparison_is_said(change: dict[str, Any], words: str) -> None:
    assert words in problems(reply({**DATA, **change}))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (reply(status=201), "HTTP status 201"),
        (reply(headers={"content-type": "text/html"}), "text/html"),
        (reply(headers={"x-facematch-warnings": "9,10"}), "does not begin with invalidCode 0"),
        (reply(errorCode=0), "not one of the strings"),
        (reply(errorMessage="success"), "not 'Success'"),
        (reply(errorCode="3", errorMessage="Incorrect image format"), "data must be present if and only if"),
        (reply({name: DATA[name] for name in DATA if name != "match"}), "missing: ['match']"),
        (Reply(200, {"content-type": "application/json"}, b"<html>"), "not a JSON object"),
        (Reply(200, {"content-type": "application/json"}, b"[" * 100_000), "not a JSON object"),
    ],
)
def test_what_is_wrong_with_a_reply_is_said(wrong: Reply, words: str) -> None:
    assert words in problems(wrong)


@pytest.fixture(scope="module")
def address(live: Any) -> list[str]:
    return ["--base-url", live.url, "--key", live.auth[0], "--secret", live.auth[1]]


@pytest.mark.slow
def test_our_service_passes_and_the_quota_is_told(
    facematch: Callable[..., Any], live: Any, address: list[str], tmp_path: Path, photo_server: Any
) -> None:
    used_up = live.store.create_key(KeySettings(name="used up", quota=0))
    urls = [photo_server.url + "/astronaut.jpg"] * 2
    before = live.store.usage(live.auth[0]).total
    options = ["--full", "--image-urls", *urls, "--exhausted-key", f"{used_up.api_key}:{used_up.api_secret}"]
    done = facematch("contract", *address, *options, "--junit", tmp_path / "out.xml")
    assert done.code == 0, done.out
    assert "0 failed, 0 skipped; profile: documented" in done.out
    told = int(done.out.split("of which ")[1].split()[0])
    # A photo without a face is a comparison here, and an error with FACEMATCH_NO_FACE_AS=error3.
    assert live.store.usage(live.auth[0]).total - before == told
    assert live.auth[1] not in done.out
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()[0]  # noqa: S314
    assert suite.get("tests") == str(len(suite)) != "0"
    assert suite.get("failures") == suite.get("skipped") == "0"


@pytest.mark.slow
def test_few_requests_unless_asked_for_more(facematch: Callable[..., Any], start: Callable[..., Any]) -> None:
    """By default about 20 requests; the other profile is recognised."""
    other = start(wire_profile="observed")
    address = ["--base-url", other.url, "--key", other.auth[0], "--secret", other.auth[1]]
    done = facematch("contract", *address)
    assert done.code == 0, done.out
    assert int(done.out.split()[0]) <= 20
    assert "profile: observed" in done.out
    assert facematch("contract", *address, "--profile", "documented").code == 1


@contextmanager
def server_that_says(body: bytes, certificate: Path | None = None) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_server_that_always_says_match_fails(facematch: Callable[..., Any], tmp_path: Path) -> None:
    with server_that_says(reply().body) as url:
        done = facematch("contract", "--base-url", url, "--key", "k", "--secret", "s", "--junit", tmp_path / "out.xml")
        compat = facematch("compat-check", "--base-url", url, "--key", "k", "--secret", "s")
    assert done.code == 1
    assert "not the same person, but match is 1" in done.out
    cases = ElementTree.parse(tmp_path / "out.xml").getroot()[0]  # noqa: S314
    failed = {case.get("name") for case in cases if case.find("failure") is not None}
    assert {"two people", "no face never matches", "a wrong secret", "bytes that are not a photo"} <= failed
    assert "two portraits of one person" not in failed
    assert compat.code == 1
    assert "do not use this server" in compat.out


def test_what_a_server_says_does_no_harm_to_the_report() -> None:
    evil = json.dumps({"data": None, "errorCode": "\x00\x1b[31m]]>[/bold]", "errorMessage": "x"}).encode()
    with server_that_says(evil) as url:
        results = run(Target(url), [Case("evil", "evil", Call("GET", ""), (shape.success,))])
    assert results[0].outcome is CaseOutcome.FAILED
    assert ElementTree.fromstring(junit(results, url)).get("failures") == "1"  # noqa: S314


def test_nobody_there(facematch: Callable[..., Any]) -> None:
    address = ["--base-url", "http://127.0.0.1:1", "--key", "k", "--secret", "s"]
    assert "no reply" in facematch("compat-check", *address).out
    done = facematch("contract", *address)
    assert done.code == 1
    assert "no reply: ConnectError" in done.out
    assert facematch("contract", "--base-url", "localhost:8000", "--key", "k", "--secret", "s").code == 2


def test_compat_check_of_our_service(facematch: Callable[..., Any], address: list[str]) -> None:
    done = facematch("compat-check", *address)
    assert done.code == 0, done.out
    for words in (
        "not encrypted",
        "documented profile",
        "errorCode 5 with HTTP 200",
        "FACEMATCH_WIRE_PROFILE=observed",
    ):
        assert words in done.out


def test_compat_check_tells_every_option_that_differs(facematch: Callable[..., Any], start: Callable[..., Any]) -> None:
    other = start(wire_profile="observed", auth_failure_status=401, no_face_as="error3", scenarios=True)
    address = ["--base-url", other.url, "--key", other.auth[0], "--secret", other.auth[1]]
    done = facematch("compat-check", *address, "--host-name", "cloud.invalid")
    assert done.code == 1
    for words in (
        "cloud.invalid does not resolve",
        "FACEMATCH_WIRE_PROFILE=documented",
        "FACEMATCH_AUTH_FAILURE_STATUS=200",
        "FACEMATCH_NO_FACE_AS=warning",
        "FACEMATCH_SCENARIOS",
    ):
        assert words in done.out


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("private String invalidCode;", 0, ()),
        ("private int invalidCode;", 1, ("documented profile, but", "--profile observed")),
        ("String invalidCode; // error 3: no face", 1, ("--no-face-as error3", "expects the other reply")),
    ],
)
def test_compat_check_of_a_server_for_one_client(
    facematch: Callable[..., Any], address: list[str], tmp_path: Path, source: str, code: int, words: tuple[str, ...]
) -> None:
    path = tmp_path / "Data.java"
    path.write_text(source)
    done = facematch("compat-check", *address, "--client-file", path)
    assert done.code == code, done.out
    text = " ".join(done.out.replace("│", " ").split())
    for part in words:
        assert part in text


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site's own certificate for face.example, with its key in the same file, 10 days before its end."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("needs the openssl program")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 10 -subj /CN=face.example"
    alternative = ["-addext", "subjectAltName=DNS:face.example", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([openssl, *options.split(), *alternative], check=True, capture_output=True)  # noqa: S603
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    return both


def test_compat_check_of_certificates(facematch: Callable[..., Any], certificate: Path) -> None:
    with server_that_says(reply().body, certificate) as url:
        address = ["--base-url", url, "--key", "k", "--secret", "s"]
        trusted = facematch("compat-check", *address, "--host-name", "face.example", "--ca-file", certificate)
        other_name = facematch("compat-check", *address, "--host-name", "other.example", "--ca-file", certificate)
    assert "make the site's own CA known" in " ".join(trusted.out.split())  # to the system and to certifi
    assert "valid for face.example" in trusted.out
    assert "renew it" in trusted.out
    assert "documented profile" in trusted.out  # the calls came through, under the name clients will use
    assert "Hostname mismatch" in other_name.out
    assert "make a certificate with" in other_name.out
    assert "no reply" in other_name.out
