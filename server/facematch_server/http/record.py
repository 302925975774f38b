"""What is noted of one request, for its log line and the metrics: codes and durations, nothing of a person."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import HTTPConnection

# What a proxy may hand over as a request id; anything else could smuggle text into the logs.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_SCOPE_KEY: Final = "facematch.record"


@dataclass(slots=True)
class Record:
    """Notes on one request.

    Attributes:
        request_id: the proxy's, else random; also sent back as `X-Request-ID`.
        key: id of the API key (not the key itself), None before it is known.
        endpoint: name for the metrics, "" for what is no comparison.
        error_code: `errorCode` of the reply, "" before it is known.
        invalid_code: `invalidCode` of the reply, "" where there is none.
        seconds: durations by stage.
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
        """Note how long a stage takes."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started


def new_record(proposed_id: str) -> Record:
    """Notes for a request that has just come in."""
    return Record(proposed_id if _REQUEST_ID.fullmatch(proposed_id) else secrets.token_hex(8))


def record_of(request: HTTPConnection) -> Record:
    """The notes on `request`."""
    record: Record = request.scope[_SCOPE_KEY]
    return record


def address_of(request: HTTPConnection) -> str:
    """Address of who sent `request`, a proxy's where there is one; never logged."""
    return request.client.host if request.client else ""


def attach(scope: dict[str, object], record: Record) -> None:
    """Make `record` the notes on the request of an ASGI scope."""
    scope[_SCOPE_KEY] = record
