"""The banner of `facematch serve`: each address and command in it works."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from facematch_server.running.banner import Place, Start, address, banner, key_text, place, show_start
from facematch_server.running.listening import bind
from facematch_server.settings import Settings
from facematch_server.wire.profile import NoFaceAs, Profile

PACK = "standard 1.0.0, calibration curve-1"
BASE = "http://127.0.0.1:8000"
needs_ipv6 = pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")


def start(new_key: bool = False, **changes: Any) -> Start:
    key = SimpleNamespace(api_key="KEY", api_secret="SECRET") if new_key else None
    given = {"address": BASE, "internal": BASE, "pack": PACK, "notice": "", "new_key": key, **changes}
    return Start(**given)


HERE = Place("facematch", has_samples=True)


def test_a_later_start() -> None:
    text = banner(Settings(), start(), HERE)
    for part in (
        "page      http://127.0.0.1:8000/\n",
        "API docs  http://127.0.0.1:8000/docs\n",
        "keys      exist; `facematch keys create` makes another",
        "pack      standard 1.0.0, calibration curve-1\n",
        "profile documented: invalidCode is text",
        "--profile observed",
        "--no-face-as error3",
        "compat-check --client-file",
        "curl -u $API_KEY:$API_SECRET -F img1=@samples/card.jpg -F img2=@samples/portrait.jpg",
        f"'{BASE}/api/v2/ekyc/face_matching?type1=card&format_type=file'",
    ):
        assert part in text
    assert "facematch samples" not in text
    assert "api_key:" not in text


def test_a_first_start_shows_the_key_once() -> None:
    text = banner(Settings(), start(new_key=True), HERE)
    assert "  api_key:    KEY\n  api_secret: SECRET\n" in text
    assert "curl -u KEY:SECRET " in text
    assert "keys      exist" not in text


def test_samples_that_do_not_exist_are_made_first() -> None:
    text = banner(Settings(), start(), Place(".venv/bin/facematch", has_samples=False))
    made, called = text.index(".venv/bin/facematch samples samples\n"), text.index("curl -u")
    assert made < called


def test_the_other_choice_of_both_settings() -> None:
    text = banner(Settings(wire_profile=Profile.OBSERVED, no_face_as=NoFaceAs.ERROR3), start(), HERE)
    assert "profile observed: invalidCode is a number" in text
    assert "--profile documented" in text
    assert "--no-face-as warning" in text


def test_pages_that_are_off_or_elsewhere() -> None:
    text = banner(Settings(page=False, docs=False), start(), HERE)
    assert "page" not in text.replace("vendor's page", "").replace("Vietnamese page", "")
    assert "/docs" not in text
    text = banner(Settings(internal_port=9000), start(internal="http://127.0.0.1:9000"), HERE)
    assert "http://127.0.0.1:9000/docs" in text
    assert f"'{BASE}/api/v2/" in text


def test_the_notice_of_another_pack_and_tls() -> None:
    text = banner(Settings(), start(notice="compact is in use", address="https://127.0.0.1:8443"), HERE)
    assert "compact is in use" in text
    assert "curl -k -u" in text


def test_a_pipe_gets_the_new_key_only() -> None:
    assert key_text(start(), HERE) == ""
    text = key_text(start(new_key=True), HERE)
    assert "api_secret: SECRET" in text
    assert "page" not in text


class StoreWithoutKeys:
    def create_first_key(self) -> object:
        return SimpleNamespace(api_key="key", api_secret="secret")


LOADED = SimpleNamespace(
    pack=SimpleNamespace(name="standard", version="1", notice=""), calibration=SimpleNamespace(id="curve")
)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize(("terminal", "banners"), [(True, 1), (False, 0)])
def test_only_a_terminal_gets_the_banner(
    stack: ExitStack,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    banners: int,
) -> None:
    sockets = [stack.enter_context(closing(sock)) for sock in bind("127.0.0.1", 0, "FACEMATCH_PORT")]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    show_start(Settings(), [sockets], LOADED, StoreWithoutKeys())  # type: ignore[arg-type]
    out = capsys.readouterr().out
    assert out.count("Ctrl-C stops the service") == banners
    assert "api_secret: secret" in out
    assert f"'http://127.0.0.1:{sockets[0].getsockname()[1]}/api/v2/" in out


@pytest.mark.parametrize(
    ("host", "listens", "expected"),
    [
        ("127.0.0.1", "127.0.0.1", "http://127.0.0.1:"),
        ("", "127.0.0.1", "http://127.0.0.1:"),
        pytest.param("::", "::", "http://127.0.0.1:", marks=needs_ipv6),
        pytest.param("::", "::1", "http://[::1]:", marks=needs_ipv6),  # as where a socket cannot take both
        pytest.param("::1", "::1", "http://[::1]:", marks=needs_ipv6),
    ],
)
def test_the_printed_address_reaches_the_service(stack: ExitStack, host: str, listens: str, expected: str) -> None:
    sockets = [stack.enter_context(closing(sock)) for sock in bind(listens, 0, "FACEMATCH_PORT")]
    port = sockets[0].getsockname()[1]
    assert address(host, sockets, tls=False) == f"{expected}{port}"
    assert address(host, sockets, tls=True).startswith("https://")
    socket.create_connection((expected.removeprefix("http://").removesuffix(":").strip("[]"), port), 5).close()


def test_the_command_is_the_one_that_the_shell_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "bin" / "facematch"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(script.parent))
    assert place(str(script)) == Place("facematch", has_samples=False)
    monkeypatch.setenv("PATH", "")
    assert place("bin/facematch").command == "bin/facematch"
    assert place("somewhere/__main__.py").command.endswith(" -m facematch_server")
    (tmp_path / "samples").mkdir()
    for name in ("card.jpg", "portrait.jpg"):
        (tmp_path / "samples" / name).write_bytes(b"")
    assert place("bin/facematch").has_samples
