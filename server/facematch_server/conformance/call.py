"""One request of a client, and its reply."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    import httpx

V2: Final = "/api/v2/ekyc/face_matching"
V3: Final = "/api/v3/ekyc/face_matching"

Auth: TypeAlias = tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Call:
    """A request.

    Attributes:
        method: HTTP method.
        query: the query string, sent unchanged.
        path: the path.
        auth: user and password; None to send no credentials.
        files: parts of a multipart form: name to (filename, bytes, content type).
        body: any other body.
        headers: additional headers.
    """

    method: str
    query: str
    path: str = V2
    auth: Auth = field(default=None, repr=False)
    files: Mapping[str, tuple[str, bytes, str]] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """A reply.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        body: the raw body.
        seconds: time until the last byte.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    seconds: float = 0.0

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def error_code(self) -> Any:
        """`errorCode`; None without one."""
        return self.json.get("errorCode") if isinstance(self.json, dict) else None

    @property
    def data(self) -> dict[str, Any]:
        """`data`; empty without any."""
        data = self.json.get("data") if isinstance(self.json, dict) else None
        return data if isinstance(data, dict) else {}


class UnreachableError(Exception):
    """No reply arrived; the message is that of the client library."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server to test.

    Attributes:
        base_url: scheme, host and port.
        host_name: host name to send instead of that of `base_url`, as clients do after a change in DNS.
        ca_file: trusted certificates, instead of the public ones.
        seconds: time for one request.
    """

    base_url: str
    host_name: str = ""
    ca_file: str = ""
    seconds: float = 60.0

    def client(self) -> httpx.Client:
        """A client with one connection pool; the caller closes it."""
        import httpx

        verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=self.ca_file) if self.ca_file else True
        return httpx.Client(verify=verify, timeout=self.seconds, follow_redirects=False)

    def send(self, client: httpx.Client, call: Call) -> Reply:
        """Send a request.

        Raises:
            UnreachableError: no reply arrived.
        """
        import httpx

        headers, extensions = dict(call.headers), {}
        if self.host_name:
            headers["Host"] = self.host_name
            extensions["sni_hostname"] = self.host_name
        # httpx leaves a query unchanged only as part of a URL; it encodes only characters that cannot be sent.
        parts = urlsplit(self.base_url)
        url = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + call.path, call.query, ""))
        started = time.monotonic()
        try:
            response = client.request(
                call.method,
                url,
                headers=headers,
                auth=call.auth,
                files=dict(call.files) or None,
                content=call.body or None,
                extensions=extensions,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreachableError(f"{type(error).__name__}: {error}") from None
        return Reply(response.status_code, dict(response.headers), response.content, time.monotonic() - started)
