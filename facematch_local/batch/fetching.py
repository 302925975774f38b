"""The bytes of a photo, from a folder or through fsspec."""

from __future__ import annotations

import os
import stat
from typing import Any, Final

from facematch_local.batch.locations import is_url, locate
from facematch_local.batch.rows import Fault, RowError
from facematch_local.imaging.photo import ImageLimits

_SECONDS: Final = 60.0


class FetchError(Exception):
    """The bytes of a photo cannot be had."""

    def __init__(self, code: RowError, reason: str) -> None:
        super().__init__(reason)
        self.fault = Fault(code, reason)


def fetch_of(root: str, path: str) -> bytes:
    """Read the photo of a row, up to the limit of decoding.

    Args:
        root: folder or URL that a relative path is relative to.
        path: as the list has it.

    Raises:
        FetchError: as `fetch` raises.
    """
    return fetch(locate(path, root), ImageLimits().max_bytes)


def fetch(location: str, max_bytes: int) -> bytes:
    """Read a photo; of one with more than `max_bytes` bytes only one byte more, for decoding to refuse.

    Args:
        location: a path, or a URL of a scheme that fsspec knows, with credentials as fsspec has them.
        max_bytes: limit on the encoded size.

    Raises:
        FetchError: the file is missing, cannot be read, or its storage does not answer.
    """
    return _fetch_url(location, max_bytes) if is_url(location) else _read_file(location, max_bytes)


def _read_file(path: str, max_bytes: int) -> bytes:
    try:
        # Without O_NONBLOCK opening a FIFO waits for its writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb", buffering=0) as stream:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise FetchError(RowError.UNREADABLE, "a folder or a device, not a file")
            return _read(stream, max_bytes)
    except (FileNotFoundError, NotADirectoryError):
        raise FetchError(RowError.MISSING_FILE, "the file does not exist") from None
    except IsADirectoryError:
        raise FetchError(RowError.UNREADABLE, "a folder or a device, not a file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise FetchError(RowError.UNREADABLE, f"the file cannot be read ({reason})") from None


def _fetch_url(url: str, max_bytes: int) -> bytes:
    if "::" in url.partition("://")[0]:
        raise FetchError(RowError.UNREADABLE, "a chain of URLs is not supported")
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise FetchError(RowError.UNREADABLE, "a URL needs fsspec: pip install 'facematch-local[batch]'") from None
    try:
        filesystem, path = url_to_fs(url, **_options(url))
        with filesystem.open(path, "rb") as stream:
            return _read(stream, max_bytes)
    # Storages raise what their client libraries raise, and messages may contain the URL with its secrets.
    except Exception as error:
        code, reason = _meaning(error)
        raise FetchError(code, reason) from None


def _meaning(error: Exception) -> tuple[RowError, str]:
    """Code and reason of an exception of fsspec or of a storage's client library."""
    if isinstance(error, FileNotFoundError):
        cause = error.__cause__
        # fsspec reports every failure of a web server as a missing file, with the failure as the cause.
        of_web = isinstance(cause, ValueError) or type(cause).__module__.partition(".")[0] == "aiohttp"
        if isinstance(cause, Exception) and of_web and getattr(cause, "status", None) != 404:
            return _meaning(cause)
        return RowError.MISSING_FILE, "the storage has no such file"
    if isinstance(error, PermissionError):
        return RowError.UNREADABLE, "the storage refuses access"
    if isinstance(error, IsADirectoryError):
        return RowError.UNREADABLE, "a folder, not a file"
    if isinstance(error, ImportError):
        return RowError.UNREADABLE, "the package for this kind of URL is not installed"
    if isinstance(error, ValueError):
        return RowError.UNREADABLE, "the URL is malformed or its scheme is unknown"
    status = getattr(error, "status", None)
    detail = f"HTTP status {status}" if isinstance(status, int) else type(error).__name__
    return RowError.UNAVAILABLE, f"the storage does not give the file ({detail})"


def _options(url: str) -> dict[str, Any]:
    """Options of the filesystem: a time limit for web servers, which fsspec sets at five minutes."""
    if not url.lower().startswith(("http://", "https://")):
        return {}
    from aiohttp import ClientTimeout

    return {"client_kwargs": {"timeout": ClientTimeout(total=_SECONDS)}}


def _read(stream: Any, max_bytes: int) -> bytes:
    """At most `max_bytes + 1` bytes; a raw stream may give them in pieces."""
    pieces, missing = [], max_bytes + 1
    while missing and (piece := stream.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
