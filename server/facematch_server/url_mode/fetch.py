"""Fetch photos by URL.

Clients choose the URLs. Therefore the service connects to the address that it checked (it resolves each name once),
checks every redirect again, bounds time and bytes while they are spent, and sends no credentials or cookies and uses no
proxies of the environment.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import anyio
import certifi
import httpcore

from facematch_local import __version__
from facematch_server.url_mode.errors import Reason, UrlUnavailableError
from facematch_server.url_mode.policy import UrlPolicy
from facematch_server.url_mode.reply_stream import TidyStream
from facematch_server.url_mode.urls import MalformedUrlError, WebUrl, join, parse

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# Look-ups cannot be interrupted: the ones that hang can fill these threads, but no others.
_RESOLVER_THREADS: Final = 8
_ADDRESSES_TRIED: Final = 4


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Limits on one photo.

    Attributes:
        max_bytes: size of the body, both before and after decoding its content encoding.
        connect_seconds: time from the name to an open connection, for each redirect.
        total_seconds: time in total, redirects included.
        max_redirects: number of redirects followed.
    """

    max_bytes: int = 10 * 1024 * 1024
    connect_seconds: float = 3.0
    total_seconds: float = 10.0
    max_redirects: int = 3


class Fetcher:
    """Fetches photos on one event loop, many at the same time."""

    def __init__(
        self,
        policy: UrlPolicy,
        limits: FetchLimits | None = None,
        *,
        resolver: Resolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        """Connections open with the first fetch.

        Args:
            policy: the addresses that may be reached.
            limits: limits on one photo.
            resolver: resolves a name and a port to addresses; default the operating system's.
            ssl_context: the trusted certificates; default the operating system's and Mozilla's.
            network: opens a connection to a permitted address; for tests.
        """
        self._policy = policy
        self._limits = limits or FetchLimits()
        self._threads = ThreadPoolExecutor(_RESOLVER_THREADS, thread_name_prefix="facematch-dns")
        backend = _CheckingBackend(
            policy, resolver or self._resolve, network or httpcore.AnyIOBackend(), self._limits.connect_seconds
        )
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or _default_ssl_context(),
            max_connections=None,
            # Resolve and check for every request.
            max_keepalive_connections=0,
            network_backend=backend,
        )

    async def fetch(self, url: str) -> bytes:
        """The body of a 200 reply; its Content-Type does not matter.

        Raises:
            UrlUnavailableError: malformed, forbidden, unreachable, too slow, too large or not 200.
        """
        try:
            with anyio.fail_after(self._limits.total_seconds):
                return await self._follow(parse(url))
        except MalformedUrlError as error:
            raise UrlUnavailableError(Reason.MALFORMED, str(error)) from None
        except (TimeoutError, httpcore.TimeoutException):
            raise UrlUnavailableError(Reason.TIMEOUT, "the image server took too long") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, anyio.BrokenResourceError, OSError) as error:
            # The exceptions' own texts may quote what the server sent.
            raise UrlUnavailableError(
                Reason.UNREACHABLE, f"the image server cannot be reached or broke off ({type(error).__name__})"
            ) from None

    async def fetch_both(self, url1: str, url2: str, deadline: float) -> tuple[bytes, bytes]:
        """Fetch two photos at the same time. If both fail, the error of the first one counts.

        Args:
            url1: URL of image 1.
            url2: URL of image 2.
            deadline: on the clock of `time.monotonic`.

        Raises:
            UrlUnavailableError: as `fetch`, or the deadline has passed.
        """
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0.0)):
                first, second = await asyncio.gather(self.fetch(url1), self.fetch(url2), return_exceptions=True)
        except TimeoutError:
            raise UrlUnavailableError(Reason.TIMEOUT, "the photos did not arrive before the deadline") from None
        if isinstance(first, BaseException):
            raise first
        if isinstance(second, BaseException):
            raise second
        return first, second

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _follow(self, url: WebUrl) -> bytes:
        for _ in range(self._limits.max_redirects + 1):
            if refusal := self._policy.refusal(url):
                raise UrlUnavailableError(Reason.FORBIDDEN, f"{url.origin}: {refusal}")
            reply = await self._request(url)
            if isinstance(reply, bytes):
                return reply
            if url.scheme == "https" and reply.scheme == "http":
                raise UrlUnavailableError(Reason.REDIRECT, f"{url.origin} redirects from https to http")
            url = reply
        raise UrlUnavailableError(Reason.REDIRECT, f"more than {self._limits.max_redirects} redirects")

    async def _request(self, url: WebUrl) -> bytes | WebUrl:
        limits = self._limits
        headers = [
            ("Host", url.authority),
            ("User-Agent", f"facematch-local/{__version__}"),
            ("Accept", "image/*, */*;q=0.8"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ]
        core_url = httpcore.URL(scheme=url.scheme, host=url.host, port=url.port, target=url.target)
        timeout = {"connect": limits.connect_seconds, "read": limits.total_seconds, "write": limits.total_seconds}
        async with self._pool.stream("GET", core_url, headers=headers, extensions={"timeout": timeout}) as response:
            if response.status in _REDIRECTS:
                return join(url, _header(response, b"location"))
            if response.status != 200:
                raise UrlUnavailableError(Reason.STATUS, f"{url.origin} answered with status {response.status}")
            body = await self._read(url, response)
        return await _decoded(url, body, _header(response, b"content-encoding").lower(), limits.max_bytes)

    async def _read(self, url: WebUrl, response: httpcore.Response) -> bytes:
        too_large = UrlUnavailableError(
            Reason.TOO_LARGE, f"{url.origin} sends more than {self._limits.max_bytes} bytes"
        )
        announced = _header(response, b"content-length")
        if announced and int(announced) > self._limits.max_bytes:  # h11 ensures that it is a number
            raise too_large
        body = bytearray()
        async for chunk in response.aiter_stream():
            body += chunk
            if len(body) > self._limits.max_bytes:
                raise too_large
        return bytes(body)

    async def _resolve(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _lookup, host, port)
        return [str(entry[4][0]) for entry in found]


class _CheckingBackend(httpcore.AsyncNetworkBackend):
    """Resolves, checks and opens every connection of the pool, so that no connection bypasses the policy."""

    def __init__(
        self, policy: UrlPolicy, resolver: Resolver, network: httpcore.AsyncNetworkBackend, connect_seconds: float
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._network = network
        self._connect_seconds = connect_seconds

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        with anyio.fail_after(timeout or self._connect_seconds):
            addresses = list(dict.fromkeys(await self._addresses(host, port)))
            permitted = [address for address in addresses if self._policy.permits(host, port, address)]
            if not permitted:
                what = "has no address" if not addresses else "is not allowed by the URL policy"
                reason = Reason.UNREACHABLE if not addresses else Reason.FORBIDDEN
                raise UrlUnavailableError(reason, f"host {host} {what}")
            stream = await self._first(permitted[:_ADDRESSES_TRIED], port, local_address, socket_options)
            return TidyStream(stream)

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        try:
            return await self._resolver(host, port)
        # UnicodeError: the resolver's codec refuses the name.
        except (OSError, UnicodeError):
            return []

    async def _first(
        self, addresses: Sequence[str], port: int, local_address: str | None, socket_options: Iterable[Any] | None
    ) -> httpcore.AsyncNetworkStream:
        share = self._connect_seconds / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.NetworkError, httpcore.TimeoutException):
                continue
        return await self._network.connect_tcp(addresses[-1], port, None, local_address, socket_options)


async def _decoded(url: WebUrl, body: bytes, encoding: str, max_bytes: int) -> bytes:
    if encoding in ("gzip", "x-gzip", "deflate"):
        return await anyio.to_thread.run_sync(_inflate, url, body, max_bytes)
    if encoding in ("br", "zstd", "compress", "x-compress") or "," in encoding:
        raise UrlUnavailableError(Reason.BODY, f"{url.origin} compresses although asked not to")
    # Other values are not encodings: many photo stores label plain JPEGs with "base64".
    return body


def _inflate(url: WebUrl, body: bytes, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        # Stops one byte past the limit, so a decompression bomb costs no more than a photo.
        content = inflater.decompress(body, max_bytes + 1)
    except zlib.error:
        raise UrlUnavailableError(Reason.BODY, f"{url.origin} sends a damaged body") from None
    if len(content) > max_bytes:
        raise UrlUnavailableError(Reason.TOO_LARGE, f"{url.origin} sends more than {max_bytes} bytes")
    if not inflater.eof:
        raise UrlUnavailableError(Reason.BODY, f"{url.origin} sends a damaged body")
    return content


def _header(response: httpcore.Response, name: bytes) -> str:
    """The first header with this name, "" without one. Redirects are UTF-8 in practice."""
    raw = next((value for key, value in response.headers if key.lower() == name), b"")
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip()


def _lookup(host: str, port: int) -> list[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _default_ssl_context() -> ssl.SSLContext:
    # The operating system's store holds a company's own authority (SSL_CERT_FILE adds another). Slim containers have no
    # such store; there Mozilla's list serves.
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
