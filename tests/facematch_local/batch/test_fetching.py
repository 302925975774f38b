"""The bytes of photos: files, storages, and everything that can be wrong with them."""

from __future__ import annotations

import contextlib
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facematch_local.batch.fetching import FetchError, fetch
from facematch_local.batch.rows import Fault, RowError


def fault(location: str) -> Fault:
    with pytest.raises(FetchError) as raised:
        fetch(location, 100)
    return raised.value.fault


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"x" * 100)
    assert fetch(str(path), 100) == b"x" * 100
    path.write_bytes(b"x" * 5000)
    assert fetch(str(path), 100) == b"x" * 101
    path.write_bytes(b"")
    assert fetch(str(path), 100) == b""


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("absent.jpg", RowError.MISSING_FILE),
        ("file/absent.jpg", RowError.MISSING_FILE),
        (".", RowError.UNREADABLE),
        ("fifo", RowError.UNREADABLE),
        ("x" * 5000, RowError.UNREADABLE),
        ("a\0b", RowError.UNREADABLE),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, code: RowError) -> None:
    (tmp_path / "file").write_bytes(b"x")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "fifo")
    assert fault(str(tmp_path / name)).code is code


def test_devices_are_not_read() -> None:
    assert fault("/dev/zero").code is RowError.UNREADABLE


def test_memory_and_file_urls(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    with fsspec.open("memory://batch/a.jpg", "wb") as stream:
        stream.write(b"x" * 500)
    assert fetch("memory://batch/a.jpg", 1000) == b"x" * 500
    assert fetch("memory://batch/a.jpg", 100) == b"x" * 101
    assert fault("memory://batch/absent.jpg").code is RowError.MISSING_FILE
    (tmp_path / "a.jpg").write_bytes(b"abc")
    assert fetch(f"file://{tmp_path}/a.jpg", 100) == b"abc"
    assert fault(f"file://{tmp_path}/absent.jpg").code is RowError.MISSING_FILE
    assert fault(f"file://{tmp_path}").code is RowError.UNREADABLE


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("nosuchscheme://me:SECRET@host/a.jpg?SECRET", RowError.UNREADABLE),
        ("simplecache::https://me:SECRET@host/a.jpg", RowError.UNREADABLE),
        ("http://me:SECRET@127.0.0.1:9/a.jpg?SECRET", RowError.UNAVAILABLE),
        ("http://[::1/SECRET", RowError.UNREADABLE),
        ("http://", RowError.UNREADABLE),
        ("http://127.0.0.1:99999/SECRET", RowError.UNREADABLE),
    ],
)
def test_urls_that_give_nothing(url: str, code: RowError) -> None:
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    found = fault(url)
    assert found.code is code
    assert "SECRET" not in found.reason


@given(st.sampled_from(("memory", "file", "local", "nosuch", "data")), st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_text_after_a_scheme_gives_bytes_or_a_fault(scheme: str, rest: str) -> None:
    pytest.importorskip("fsspec")
    # No host, so that no storage is asked.
    with contextlib.suppress(FetchError):
        assert isinstance(fetch(f"{scheme}:///{rest.lstrip('/')}", 100), bytes)


@pytest.fixture
def server() -> Iterator[str]:
    """A web server: `/a.jpg` has 50 bytes, `/endless` more than anyone wants, other paths a status by their name."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            name = self.path.partition("?")[0].strip("/")
            self.send_response(int(name) if name.isdigit() else 200)
            if name == "a.jpg":
                self.send_header("Content-Length", "50")
            self.end_headers()
            if self.command == "GET" and not name.isdigit():
                try:
                    for _ in range(1 if name == "a.jpg" else 1_000_000):
                        self.wfile.write(b"x" * 50)
                except OSError:
                    pass

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()


def test_a_web_server(server: str) -> None:
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    assert fetch(f"{server}/a.jpg?token=SECRET", 100) == b"x" * 50
    assert fetch(f"{server}/endless", 100) == b"x" * 101
    assert fault(f"{server}/404?SECRET").code is RowError.MISSING_FILE
    for status in (403, 500, 503):
        found = fault(f"{server}/{status}?SECRET")
        assert found.code is RowError.UNAVAILABLE
        assert str(status) in found.reason
        assert "SECRET" not in found.reason
