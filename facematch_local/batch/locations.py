"""Paths and URLs of photos."""

from __future__ import annotations

import os
import re
from typing import Final

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::[A-Za-z][A-Za-z0-9+.-]*)*://")


def is_url(path: str) -> bool:
    """Whether `path` starts with a scheme such as `s3://`."""
    return _URL.match(path) is not None


def locate(path: str, root: str) -> str:
    """Where the photo of a row lies: a URL or an absolute path as it is, else below `root`, a folder or a URL."""
    if is_url(path):
        return path
    if is_url(root):
        return f"{root.rstrip('/')}/{path.lstrip('/')}"
    return os.path.join(root, path)


def redacted(path: str) -> str:
    """A URL without userinfo, query and fragment; any other path as it is.

    Works on text, since a URL that does not parse may have a secret too.
    """
    match = _URL.match(path)
    if match is None:
        return path
    rest = re.split(r"[?#]", path[match.end() :], maxsplit=1)[0]
    slashes = rest[: len(rest) - len(rest.lstrip("/"))]
    authority, slash, tail = rest[len(slashes) :].partition("/")
    host, colon, port = authority.rpartition(":")
    if "@" in authority:
        authority = authority.rpartition("@")[2]
    elif "@" in tail and colon and host and not port.isdigit():
        # A password with a slash in it ends at the last "@".
        authority, slash, tail = tail.rpartition("@")[2], "", ""
    return path[: match.end()] + slashes + authority + slash + tail
