"""Scenarios: well-known API keys whose replies are fixed, so that a client's every branch can be provoked.

Only there when asked for (`facematch serve --scenarios`). The request goes its usual way: what the contract
refuses before the fixed outcome is refused. An API key is `scenario-` and parts joined by `+`:

```
success                              a match of 87.42 percent
error-1 ... error-6                  that errorCode
warning-1 ... warning-12             that invalidCode; several may be joined
matching-74.99                       that percentage
slow-5s                              the reply is held back (up to 120 seconds)
http-429, -500, -502, -503, -504     that HTTP status
malformed-json, empty-body, connection-lost   a reply that breaks off, has nothing, or never ends
documented, observed                 the wire profile, instead of the server's
```
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facematch_local.checks import Role
from facematch_local.codes import ErrorCode, WarningCode
from facematch_local.imaging.photo import Photo
from facematch_server.access.gatekeeper import Key, KeyStore, parse_basic
from facematch_server.errors import ContractError, ServiceError
from facematch_server.matching.comparer import Comparer, crop_jpeg
from facematch_server.wire import Compared, FoundFace, Profile

SCENARIO_HEADER: Final = "X-Facematch-Scenario"
PREFIX: Final = "scenario-"
MAX_SECONDS: Final = 120.0

# Longer than any that makes sense: each part costs a dozen patterns, on the event loop.
_LONGEST_NAME: Final = 256
_PERCENT: Final = 87.42
_SCORE: Final = 0.999796
_TOO_FAST: Final = 429
# These two come from a proxy in front of the service, which sends a page of its own.
_PROXY_PAGES: Final = {502: "502 Bad Gateway", 504: "504 Gateway Time-out"}
_FAILURES: Final = {500: "Internal server error", 503: "The service is busy, try again later", **_PROXY_PAGES}


class Breakage(StrEnum):
    """How a reply is broken on its way."""

    MALFORMED_JSON = "malformed-json"
    EMPTY_BODY = "empty-body"
    CONNECTION_LOST = "connection-lost"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fixed outcome.

    Attributes:
        name: the API key.
        error: `errorCode` of the reply.
        warnings: what holds of the photos, lowest first.
        percent: `matching` of the reply.
        seconds: how long the reply is held back.
        status: HTTP status of the reply where it is not that of the outcome.
        breakage: how the reply is broken.
        profile: wire profile of the reply, None for the server's.
    """

    name: str
    error: ErrorCode | None = None
    warnings: tuple[WarningCode, ...] = ()
    percent: float | None = None
    seconds: float = 0.0
    status: int | None = None
    breakage: Breakage | None = None
    profile: Profile | None = None

    @property
    def consistent(self) -> bool:
        """Whether one reply can be all of it: an error has no percentage, a proxy's page no errorCode."""
        compares = bool(self.warnings) or self.percent is not None
        return (self.error is not None) + (self.status is not None) + compares <= 1


def parse_scenario(api_key: str) -> Scenario | None:
    """The scenario that an API key names; None if it names none, or one that cannot be."""
    if not api_key.startswith(PREFIX) or len(api_key) > _LONGEST_NAME:
        return None
    scenario = Scenario(api_key)
    for part in api_key.removeprefix(PREFIX).split("+"):
        found = _with_part(scenario, part)
        if found is None:
            return None
        scenario = found
    return scenario if scenario.consistent else None


def _with_part(scenario: Scenario, part: str) -> Scenario | None:
    for pattern, apply in _PARTS.items():
        if match := re.fullmatch(pattern, part):
            return apply(scenario, match.group(1))
    return None


def _with_seconds(scenario: Scenario, text: str) -> Scenario | None:
    seconds = float(text)
    return replace(scenario, seconds=seconds) if seconds <= MAX_SECONDS else None


def _with_percent(scenario: Scenario, text: str) -> Scenario | None:
    percent = float(text)
    return replace(scenario, percent=percent) if percent <= 100 else None


def _with_warning(scenario: Scenario, text: str) -> Scenario | None:
    return replace(scenario, warnings=tuple(sorted({*scenario.warnings, WarningCode(int(text))})))


_PARTS: Final[Mapping[str, Callable[[Scenario, str], Scenario | None]]] = {
    "(success)": lambda scenario, _: replace(scenario, percent=_PERCENT),
    "error-([1-6])": lambda scenario, text: replace(scenario, error=ErrorCode(int(text))),
    "warning-([1-9]|1[0-2])": _with_warning,
    r"matching-([0-9]{1,3}(?:\.[0-9]{1,2})?)": _with_percent,
    r"slow-([0-9]{1,3}(?:\.[0-9])?)s": _with_seconds,
    "http-(429|500|502|503|504)": lambda scenario, text: replace(scenario, status=int(text)),
    "(malformed-json|empty-body|connection-lost)": lambda scenario, text: replace(scenario, breakage=Breakage(text)),
    "(documented|observed)": lambda scenario, text: replace(scenario, profile=Profile(text)),
}


@dataclass(frozen=True, slots=True)
class ScenarioKey:
    """An API key that is a scenario."""

    scenario: Scenario
    id: str = "scenario"
    name: str = "scenario"

    @property
    def api_key(self) -> str:
        """The scenario's name."""
        return self.scenario.name

    @property
    def profile(self) -> str | None:
        """What the scenario says."""
        return self.scenario.profile


@dataclass(frozen=True, slots=True)
class ScenarioLogin:
    """Who signs in with a scenario: known at once."""

    key: ScenarioKey | None
    slow: bool = False


class ScenarioStore:
    """A store that knows the scenarios on top of its keys, and takes any secret for them."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    def look_up(self, api_key: str, api_secret: str, until: float | None = None) -> Any:
        """The scenario, else the key of the store."""
        if not api_key.startswith(PREFIX):
            return self._store.look_up(api_key, api_secret, until)
        scenario = parse_scenario(api_key)
        if scenario is None or scenario.error is ErrorCode.BAD_CREDENTIALS:
            return ScenarioLogin(None)
        return ScenarioLogin(ScenarioKey(scenario))

    def settle(self, login: Any) -> Any:
        """The key of the store; scenarios leave nothing to settle."""
        return self._store.settle(login)

    def allow(self, key: Any) -> float:
        """Seconds to wait: those of `http-429`, else what the store says."""
        if isinstance(key, ScenarioKey):
            return 1.0 if key.scenario.status == _TOO_FAST else 0.0
        return self._store.allow(key)

    def reserve(self, key: Any, ttl_seconds: float, until: float | None = None) -> Any:
        """A place in the quota; none for `error-4`. Scenarios use up no quota."""
        if isinstance(key, ScenarioKey):
            return None if key.scenario.error is ErrorCode.OUT_OF_REQUESTS else key
        return self._store.reserve(key, ttl_seconds, until)

    def commit(self, reservation: Any, until: float | None = None) -> bool:
        """Count a request of a key of the store."""
        return isinstance(reservation, ScenarioKey) or self._store.commit(reservation, until)

    def release(self, reservation: Any, until: float | None = None) -> None:
        """Give a place back."""
        if not isinstance(reservation, ScenarioKey):
            self._store.release(reservation, until)

    def ping(self, until: float | None = None) -> None:
        """Whether the store answers."""
        self._store.ping(until)


def scenario_comparers(
    decoder: Callable[[bytes], Photo], others: Callable[[Key], Comparer]
) -> Callable[[Key], Comparer]:
    """Who answers the requests of a key: the scenario it is, else `others`.

    Args:
        decoder: decodes photos, as for real requests.
        others: who answers for real keys.
    """

    def comparer_for(key: Key) -> Comparer:
        if not isinstance(key, ScenarioKey):
            return others(key)
        scenario = key.scenario
        # Both come before the photos are looked at.
        if scenario.status is not None:
            retry_after = 1.0 if scenario.status == 503 else None
            raise ServiceError(scenario.status, _FAILURES[scenario.status], retry_after=retry_after)
        if scenario.error is ErrorCode.BAD_FORMAT_TYPE:
            raise ContractError(scenario.error)
        return ScenarioComparer(scenario, decoder)

    return comparer_for


class ScenarioComparer:
    """Answers what the scenario says. No face is looked for: the crops are the middle of each photo."""

    def __init__(self, scenario: Scenario, decoder: Callable[[bytes], Photo]) -> None:
        self._scenario = scenario
        self._decode = decoder

    def compare(self, image1: bytes, image2: bytes, type1: Role) -> Compared:
        """The fixed outcome, once both photos were read as they are for a real one."""
        del type1  # the code asked for is given, also where no real photo of that kind would have it
        if self._scenario.error is not None:
            raise ContractError(self._scenario.error)
        warnings = self._scenario.warnings
        photo1, photo2 = (self._decode(image).pixels for image in (image1, image2))
        return Compared(
            _PERCENT if self._scenario.percent is None else self._scenario.percent,
            None if WarningCode.NO_FACE_ON_CARD in warnings else _face(photo1),
            None if WarningCode.NO_FACE_ON_PORTRAIT in warnings else _face(photo2),
            warnings,
        )


def _face(pixels: NDArray[np.uint8]) -> FoundFace:
    height, width = pixels.shape[:2]
    side = max(min(height, width) // 2, 1)
    top, left = (height - side) // 2, (width - side) // 2
    return FoundFace(crop_jpeg(pixels[top : top + side, left : left + side].copy()), _SCORE)


class ScenarioMiddleware:
    """Marks the replies of scenarios, and holds back or breaks those that are to be."""

    def __init__(self, app: ASGIApp, paths: tuple[str, ...]) -> None:
        """Take the application.

        Args:
            app: what answers.
            paths: where scenarios are keys; anywhere else such credentials are dropped, since a key that takes
                any secret must open nothing but fixed replies.
        """
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        credentials = parse_basic(Headers(scope=scope).get("authorization")) if scope["type"] == "http" else None
        if credentials is None or not credentials.api_key.startswith(PREFIX):
            await self._app(scope, receive, send)
        elif scope["path"] in self._paths:
            scenario = parse_scenario(credentials.api_key)
            await self._app(scope, receive, _Reply(scenario, send).send)
        else:
            headers = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
            await self._app({**scope, "headers": headers}, receive, send)


class _Reply:
    """One reply on its way; kept as a whole, so that it can be changed."""

    def __init__(self, scenario: Scenario | None, send: Send) -> None:
        self._scenario = scenario
        self._send = send
        self._start: Message = {}
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._finish()

    async def _finish(self) -> None:
        scenario, start, body = self._scenario, self._start, self._body
        headers = MutableHeaders(scope=start)
        headers[SCENARIO_HEADER] = scenario.name if scenario else "unknown"
        if start["status"] in _PROXY_PAGES:
            headers["content-type"] = "text/html"
            title = _PROXY_PAGES[start["status"]]
            body = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>{title}</body>\r\n</html>".encode()
        breakage = scenario.breakage if scenario else None
        if breakage is Breakage.MALFORMED_JSON:
            body = body[: len(body) // 2]
        elif breakage is Breakage.EMPTY_BODY:
            body = b""
        headers["content-length"] = str(len(body))
        await asyncio.sleep(scenario.seconds if scenario else 0.0)
        await self._send(start)
        # A server whose application returns before the promised length is sent closes the connection.
        lost = breakage is Breakage.CONNECTION_LOST
        await self._send(
            {
                "type": "http.response.body",
                "body": body[: len(body) // 2] if lost else body,
                "more_body": lost,
            }
        )
