"""Notes on one request for its log line and the metrics: codes and durations, no personal data."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import HTTPConnection

# Request ids that a proxy may set; other text could forge log lines.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SCOPE_KEY: Final = "facematch.record"


@dataclass(slots=True)
class Record:
    """Notes on one request.

    Attributes:
        request_id: the proxy's, else random; also sent back as `X-Request-ID`.
        started: when the request arrived, on the clock of `time.monotonic`.
        key: number of the API key, never the key itself; None before the request is admitted.
        endpoint: name for the metrics; "" if the request is not a comparison.
        error_code: `errorCode` of the reply; "" before it is known.
        invalid_code: `invalidCode` of the reply; "" without one.
        seconds: durations by stage, see `metrics.STAGES`.
    """

    request_id: str
    started: float = field(default_factory=time.monotonic)
    key: str | None = None
    endpoint: str = ""
    error_code: str = ""
    invalid_code: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started

    def admitted(self, key: str) -> None:
        """Note that the request was admitted, and for which key."""
        self.key = key
        self.seconds["admit"] = time.monotonic() - self.started

    def add_seconds(self, timings: Mapping[str, float]) -> None:
        """Add the stages of a comparison; its `total` is not a stage of the request."""
        self.seconds.update({stage: value for stage, value in timings.items() if stage != "total"})


def new_record(proposed_id: str) -> Record:
    """Notes on a request that has just arrived."""
    return Record(proposed_id if _REQUEST_ID.fullmatch(proposed_id) else secrets.token_hex(8))


def record_of(request: HTTPConnection) -> Record:
    """The notes on `request`."""
    record: Record = request.scope[_SCOPE_KEY]
    return record


def address_of(request: HTTPConnection) -> str:
    """Address of the client, or of the proxy in front of the service; never logged."""
    return request.client.host if request.client else ""


def attach(scope: dict[str, object], record: Record) -> None:
    """Make `record` the notes on the request of an ASGI scope."""
    scope[_SCOPE_KEY] = record
