"""A check in plain words before a client of the cloud service moves to another address."""

from __future__ import annotations

import base64
import ipaddress
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from facematch_local.codes import ErrorCode
from facematch_server.conformance.call import Call, Reply, Target, UnreachableError
from facematch_server.conformance.cases import NOWHERE, SamplePhotos
from facematch_server.conformance.shape import comparison, envelope, error, profile_of, shown
from facematch_server.wire.profile import NoFaceAs, Profile

if TYPE_CHECKING:
    import httpx

    from facematch_server.conformance.client_file import ClientNeeds

_FEW_DAYS: Final = 30
_TLS_SECONDS: Final = 10.0
_NO_FACE: Final = {NoFaceAs.WARNING: "invalidCode 4 or 5", NoFaceAs.ERROR3: "errorCode 3"}


class Level(StrEnum):
    """The effect of a finding on clients."""

    SAME = "same"
    DIFFERS = "differs"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Observation:
    """One result of the check.

    Attributes:
        about: the subject.
        level: the effect on clients.
        found: what was found.
        advice: what to do or to set; "" without advice.
    """

    about: str
    level: Level
    found: str
    advice: str = ""


def compare_with_cloud(
    target: Target, auth: tuple[str, str], photos: SamplePhotos, needs: ClientNeeds | None = None
) -> list[Observation]:
    """Check the address, then replay the three calls of the vendor's page and common errors.

    Uses three requests of the key's quota.

    Args:
        target: the server; `host_name` is the name that clients will use, if it is not that of the address.
        auth: key and secret of the clients.
        photos: a card, a portrait of its holder, and a photo without a face.
        needs: what a client needs, if it is known.
    """
    parts = urlsplit(target.base_url)
    observations = [*_name(parts, target), *_transport(parts, target)]
    try:
        with target.client() as client:
            observations += _Replay(target, client, auth, photos, needs).observations()
    except (UnreachableError, ssl.SSLError, OSError) as problem:
        observations.append(
            Observation("calls", Level.PROBLEM, f"no reply: {problem}", "see above; is the service running?")
        )
    return observations


# -- the address -----------------------------------------------------------------------------------


def _name(parts: SplitResult, target: Target) -> Iterator[Observation]:
    host = parts.hostname or ""
    name = target.host_name or host
    if _is_address(name):
        advice = "pass the name that clients use as --host-name, so that name and certificate are checked, too"
        yield Observation("host name", Level.DIFFERS, f"{name} is an address; the cloud has a name", advice)
        return
    addresses, expected = _resolved(name), _resolved(host)
    if not addresses:
        advice = "add it to this site's DNS or to the hosts file of the clients, pointing at this server"
        yield Observation("host name", Level.PROBLEM, f"{name} does not resolve on this machine", advice)
    elif not set(addresses) & set(expected):
        found = f"{name} resolves to {', '.join(addresses)}, not to this server"
        advice = f"clients on this machine still reach another server; override {name} in DNS or in the hosts file"
        yield Observation("host name", Level.PROBLEM, found, advice)
    else:
        yield Observation("host name", Level.SAME, f"{name} resolves to {', '.join(addresses)}")


def _transport(parts: SplitResult, target: Target) -> Iterator[Observation]:
    if parts.scheme != "https":
        advice = "clients of the cloud call https:// on port 443: put TLS before the service"
        yield Observation("HTTPS", Level.DIFFERS, f"{parts.scheme}, not encrypted", advice)
        return
    name, port = target.host_name or parts.hostname or "", parts.port or 443
    if port != 443:
        yield Observation(
            "HTTPS", Level.DIFFERS, f"port {port}", "clients of the cloud use 443; listen or forward there"
        )
    stores: dict[str, ssl.SSLContext] = {"the system's certificates": ssl.create_default_context()}
    stores["Python's own (certifi), which requests uses"] = _certifi()
    if target.ca_file:
        stores[target.ca_file] = ssl.create_default_context(cafile=target.ca_file)
    for store, context in stores.items():
        yield _certificate(store, context, (parts.hostname or "", port), name)


def _certificate(store: str, context: ssl.SSLContext, address: tuple[str, int], name: str) -> Observation:
    about = f"certificate by {store}"
    try:
        with (
            socket.create_connection(address, _TLS_SECONDS) as sock,
            context.wrap_socket(sock, server_hostname=name) as tls,
        ):
            end = _not_after(tls.getpeercert() or {})
            version = tls.version()
    except ssl.SSLCertVerificationError as problem:
        return Observation(about, Level.PROBLEM, problem.verify_message, _certificate_advice(problem, name))
    except OSError as problem:
        return Observation(about, Level.PROBLEM, f"no TLS: {problem.strerror or problem}", "does the port speak TLS?")
    days = (end - datetime.now(UTC)).days
    found = f"valid for {name}, {version}, {days} days left"
    return Observation(
        about, Level.DIFFERS if days < _FEW_DAYS else Level.SAME, found, "renew it" if days < _FEW_DAYS else ""
    )


def _certificate_advice(problem: ssl.SSLCertVerificationError, name: str) -> str:
    if "Hostname mismatch" in problem.verify_message or "IP address mismatch" in problem.verify_message:
        return f"make a certificate with {name} among its subject alternative names"
    if "expired" in problem.verify_message:
        return "renew it"
    return (
        "make the site's own CA known to the clients (system store; REQUESTS_CA_BUNDLE for Python, NODE_EXTRA_CA_CERTS "
        "for Node.js, a keystore for Java), and pass it here as --ca-file"
    )


def _certifi() -> ssl.SSLContext:
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def _not_after(certificate: Any) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _resolved(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return sorted({str(entry[4][0]) for entry in found})


# -- the replies -----------------------------------------------------------------------------------


class _Replay:
    """The documented calls, in the form of the page's example programs."""

    def __init__(
        self,
        target: Target,
        client: httpx.Client,
        auth: tuple[str, str],
        photos: SamplePhotos,
        needs: ClientNeeds | None,
    ) -> None:
        self._needed_profile = needs.profile if needs else None
        self._needed_no_face = needs.no_face_as if needs else None
        self._target = target
        self._client = client
        self._auth = auth
        self._photos = photos

    def observations(self) -> Iterator[Observation]:
        """All checks of the replies, in order."""
        yield from self._made_up()
        file = self._send(self._file())
        if 300 <= file.status < 400:
            found = f"HTTP {file.status} to {shown(file.headers.get('location', ''))}"
            advice = "clients lose the body of a POST at a redirect: serve this path without a redirect"
            yield Observation("file mode", Level.PROBLEM, found, advice)
            return
        yield self._documented("file mode", file)
        yield self._documented("base64 mode", self._send(self._base64()))
        yield from self._profile(file)
        yield from self._refused()
        yield from self._url_mode()
        yield from self._no_face()

    def _send(self, call: Call) -> Reply:
        return self._target.send(self._client, call)

    def _file(self, image2: bytes | None = None, auth: tuple[str, str] | None = None) -> Call:
        parts = {
            "img1": ("img_card.jpg", self._photos.card, "image/jpeg"),
            "img2": ("img_portrait.jpg", image2 or self._photos.portrait, "image/jpeg"),
        }
        return Call("POST", "type1=card&format_type=file", auth=auth or self._auth, files=parts)

    def _base64(self) -> Call:
        # The page's program wraps the base64 into lines.
        texts = [base64.encodebytes(photo).decode("ascii") for photo in (self._photos.card, self._photos.portrait)]
        body = json.dumps(dict(zip(("img1", "img2"), texts, strict=True))).encode()
        headers = {"Content-Type": "application/json"}
        return Call("POST", "type1=card&format_type=base64", auth=self._auth, body=body, headers=headers)

    def _documented(self, about: str, reply: Reply) -> Observation:
        problems = [*envelope(reply), *(comparison(reply) if reply.data else ())]
        if problems:
            return Observation(about, Level.PROBLEM, "; ".join(problems), "clients may not be able to read this")
        if reply.error_code != "0":
            said = f"errorCode {reply.error_code}: {reply.json['errorMessage']}"
            advice = "import the pair that clients use: facematch keys import" if reply.error_code == "5" else ""
            return Observation(about, Level.PROBLEM, said, advice)
        found = f"matching {reply.data['matching']}, match {reply.data['match']}, {1000 * reply.seconds:.0f} ms"
        return Observation(about, Level.SAME, found)

    def _profile(self, reply: Reply) -> Iterator[Observation]:
        profile = profile_of(reply)
        if profile is not None and self._needed_profile not in (None, profile):
            found = f"{profile} profile, but the client of the file needs {self._needed_profile}"
            advice = f"facematch serve --profile {self._needed_profile}, or a key of its own: `facematch keys create "
            yield Observation("reply", Level.PROBLEM, found, f"{advice}--profile {self._needed_profile}`")
        elif profile is Profile.OBSERVED:
            found = "observed profile: invalidCode is a number, keys are in alphabetical order"
            advice = "some live clients need it; for the form of the page set FACEMATCH_WIRE_PROFILE=documented"
            yield Observation("reply", Level.DIFFERS, found, advice)
        elif profile is Profile.DOCUMENTED:
            found = "documented profile: invalidCode is a string, keys are in the page's order"
            advice = "if clients compare invalidCode with a number, set FACEMATCH_WIRE_PROFILE=observed (or per key)"
            yield Observation("reply", Level.SAME, found, advice)

    def _refused(self) -> Iterator[Observation]:
        reply = self._send(self._file(auth=(self._auth[0], self._auth[1] + "-wrong")))
        if reply.error_code != "5":
            found = f"HTTP {reply.status}, errorCode {shown(reply.error_code)} for a wrong secret"
            yield Observation("wrong secret", Level.PROBLEM, found, "must be errorCode 5")
        elif reply.status == 200:
            yield Observation("wrong secret", Level.SAME, "errorCode 5 with HTTP 200")
        else:
            found = f"errorCode 5 with HTTP {reply.status}"
            advice = "most clients see an exception before they read errorCode: FACEMATCH_AUTH_FAILURE_STATUS=200"
            yield Observation("wrong secret", Level.DIFFERS, found, advice)

    def _url_mode(self) -> Iterator[Observation]:
        reply = self._send(Call("GET", f"img1={NOWHERE}&img2={NOWHERE}&type1=card&format_type=url", auth=self._auth))
        problems = [*envelope(reply), *error(ErrorCode.URL_UNAVAILABLE)(reply)]
        found = "; ".join(problems) or "errorCode 2 for an address that gives nothing"
        advice = "FACEMATCH_URL_POLICY decides from which addresses the service may fetch photos"
        yield Observation("url mode", Level.PROBLEM if problems else Level.SAME, found, advice)

    def _no_face(self) -> Iterator[Observation]:
        reply = self._send(self._file(self._photos.no_face))
        warned = reply.error_code == "0" and str(reply.data.get("invalidCode")) in ("4", "5")
        given = NoFaceAs.ERROR3 if reply.error_code == "3" else NoFaceAs.WARNING if warned else None
        if given is not None and self._needed_no_face not in (None, given):
            found = f"the server replies {_NO_FACE[given]}, but the client of the file expects the other reply"
            advice = f"facematch serve --no-face-as {self._needed_no_face}"
            yield Observation("no face", Level.PROBLEM, found, advice)
        elif reply.error_code == "3":
            advice = "the English page has invalidCode 4 or 5: FACEMATCH_NO_FACE_AS=warning"
            yield Observation("no face", Level.DIFFERS, "errorCode 3", advice)
        elif reply.data.get("match") == "1":
            yield Observation("no face", Level.PROBLEM, "a match without a face", "do not use this server")
        else:
            found = f"invalidCode {shown(reply.data.get('invalidCode'))}, match {shown(reply.data.get('match'))}"
            yield Observation(
                "no face", Level.SAME, found, "clients of the Vietnamese page: FACEMATCH_NO_FACE_AS=error3"
            )

    def _made_up(self) -> Iterator[Observation]:
        reply = self._send(Call("GET", "", path="/version"))
        if isinstance(reply.json, dict) and reply.json.get("scenarios") is True:
            advice = "start the service without FACEMATCH_SCENARIOS before production"
            yield Observation("scenarios", Level.PROBLEM, "keys such as scenario-success get synthetic matches", advice)
