"""Connections that cost the service something before or after there is a request."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

V2 = "/api/v2/ekyc/face_matching"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key for localhost in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=path.parent, check=True, capture_output=True)  # noqa: S603
    path.write_text("".join((path.parent / name).read_text() for name in ("key.pem", "cert.pem")))
    return path


@pytest.fixture(scope="module")
def secure(start: Callable[..., Any], certificate: Path) -> Any:
    """A service with TLS that accepts few connections."""
    return start(tls_cert=certificate, max_connections=20, header_seconds=1.0)


def connected(service: Any, stack: ExitStack) -> socket.socket:
    return stack.enter_context(closing(socket.create_connection(("127.0.0.1", service.port), timeout=20)))


def shaken(sock: socket.socket) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(sock)


def served_over_tls(service: Any) -> bool:
    with ExitStack() as stack:
        try:
            sock = shaken(connected(service, stack))
            sock.sendall(f"GET {V2} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while data := sock.recv(65536):
                answer += data
        except OSError:
            return False
    return b'"errorCode":"5"' in answer


def seconds_until_closed(sock: socket.socket) -> float:
    begun = time.monotonic()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while sock.recv(65536):
            pass
    return time.monotonic() - begun


def test_connections_that_never_shake_hands_count_and_end(secure: Any) -> None:
    told = len(secure.logs)
    assert served_over_tls(secure)
    with ExitStack() as stack:
        begun = time.monotonic()
        silent = [connected(secure, stack) for _ in range(120)]
        # One more than the limit is closed at once; the others when their time is over, and not much later.
        assert seconds_until_closed(silent[-1]) < 1
        assert not served_over_tls(secure)
        for sock in silent:
            seconds_until_closed(sock)
        assert time.monotonic() - begun < 8
        assert served_over_tls(secure)
    lines = [line for line in secure.logs[told:] if json.loads(line)["level"] not in ("DEBUG", "INFO")]
    assert len(lines) < 20, lines


def test_garbage_instead_of_a_handshake(secure: Any) -> None:
    with ExitStack() as stack:
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + bytes(500), b"\x00" * 1000):
            sock = connected(secure, stack)
            sock.sendall(data)
            assert seconds_until_closed(sock) < 5
    assert served_over_tls(secure)


def test_the_clock_of_the_head_runs_from_the_accept_on(secure: Any) -> None:
    """A late handshake does not buy more time."""
    with ExitStack() as stack:
        begun = time.monotonic()
        sock = connected(secure, stack)
        time.sleep(0.7)
        secured = shaken(sock)
        secured.sendall(b"GET / HTTP/1.1\r\n")
        seconds_until_closed(secured)
        assert time.monotonic() - begun < 1.6


def test_who_is_cut_off_over_tls_need_not_agree(start: Callable[..., Any], certificate: Path) -> None:
    """Silent after the handshake, and no answer to the goodbye: the place is free all the same."""
    service = start(tls_cert=certificate, max_connections=1, header_seconds=1.0)
    with ExitStack() as stack:
        shaken(connected(service, stack))
        end = time.monotonic() + 10
        while not served_over_tls(service):
            assert time.monotonic() < end
            time.sleep(0.2)


def test_a_client_that_never_reads_is_cut_off(start: Callable[..., Any]) -> None:
    service = start(write_seconds=0.5, send_buffer=4096)
    count = 300
    with ExitStack() as stack:
        sock = stack.enter_context(closing(socket.socket()))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(20)
        sock.connect(("127.0.0.1", service.port))
        sock.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * count)
        time.sleep(1.0)
        received = b""
        with contextlib.suppress(ConnectionError):
            while data := sock.recv(65536):
                received += data
    assert received.count(b"HTTP/1.1 200 ") < count


def test_a_client_that_reads_late_but_in_time_gets_everything(start: Callable[..., Any]) -> None:
    service = start(write_seconds=10.0)
    count = 40
    with ExitStack() as stack:
        sock = stack.enter_context(closing(socket.socket()))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.settimeout(20)
        sock.connect(("127.0.0.1", service.port))
        request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n"
        sock.sendall((request + b"\r\n") * (count - 1) + request + b"Connection: close\r\n\r\n")
        time.sleep(0.5)
        received = b""
        while data := sock.recv(65536):
            received += data
    assert received.count(b"HTTP/1.1 200 ") == count


def test_pipelined_requests_of_all_connections_take_turns(start: Callable[..., Any]) -> None:
    service = start()
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with ExitStack() as stack:
        socks = [connected(service, stack) for _ in range(10)]
        for sock in socks:
            sock.sendall(request * 300)
        time.sleep(1)
        assert service.get("/healthz", timeout=5).status_code == 200
        answers = b"".join(sock.recv(1 << 20) for sock in socks)
    # Fifty a second; 3,000 without turns.
    assert 10 < answers.count(b"HTTP/1.1 200 ") < 600


def test_many_that_are_turned_away_at_once(start: Callable[..., Any]) -> None:
    service = start(max_connections=2)
    with ExitStack() as stack:
        for _ in range(2):
            connected(service, stack)
        time.sleep(0.1)
        extra = [connected(service, stack) for _ in range(100)]
        answers = []
        for sock in extra:
            with contextlib.suppress(ConnectionError):
                answers.append(sock.recv(65536))
        assert any(b'"errorCode":"503"' in answer for answer in answers)
        assert all(not answer or answer.startswith(b"HTTP/1.1 503 ") for answer in answers)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if service.get("/healthz", timeout=5).status_code == 200:
                return
    raise AssertionError("it does not recover")


def test_running_out_of_descriptors_is_told_once_and_passes(caplog: pytest.LogCaptureFixture) -> None:
    from facematch_server.running.acceptor import Acceptor

    async def accept() -> int:
        loop = asyncio.get_running_loop()
        asked = 0
        real = loop.sock_accept

        async def sock_accept(sock: socket.socket) -> Any:
            nonlocal asked
            asked += 1
            if asked <= 3:
                raise OSError(errno.EMFILE, "Too many open files")
            return await real(sock)

        loop.sock_accept = sock_accept  # type: ignore[method-assign]
        served = asyncio.Event()

        class Protocol(asyncio.Protocol):
            closed = served

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                transport.close()
                served.set()

        with closing(socket.create_server(("127.0.0.1", 0))) as sock:
            acceptor = Acceptor([sock], Protocol, None, max_connections=1, handshake_seconds=1)  # type: ignore[arg-type]
            acceptor.start()
            _, writer = await asyncio.open_connection(*sock.getsockname())
            await asyncio.wait_for(served.wait(), 10)
            writer.close()
            acceptor.close()
            await acceptor.wait_closed()
        return asked

    # Not one attempt after the other without a pause.
    begun = time.monotonic()
    assert asyncio.run(accept()) <= 6
    assert time.monotonic() - begun > 0.5
    assert "out of descriptors" in caplog.text
