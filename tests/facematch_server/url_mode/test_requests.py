"""Requests to image servers: their content, their connections, TLS."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from facematch_server.url_mode.errors import Reason, UrlUnavailableError
from facematch_server.url_mode.fetch import Fetcher
from tests.facematch_server.url_mode.image_servers import (
    LIMITS,
    LOCAL,
    OK,
    PUBLIC,
    PUBLIC_ADDRESS,
    QUICK,
    Names,
    Network,
    fetch,
    redirect,
    refused,
    reply,
    server,
    trickle,
    trusting_nobody,
)

pytestmark = pytest.mark.anyio


async def test_nothing_of_the_service_goes_along(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with server(reply()) as (proxy, proxied), server(reply(headers="Set-Cookie: a=secret\r\n")) as (port, heads):
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://user:secret@127.0.0.1:{proxy}")
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login user password secret\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        fetcher = Fetcher(LOCAL, LIMITS)
        for _ in range(2):
            assert await fetcher.fetch(f"http://127.0.0.1:{port}/") == b"photo"
        await fetcher.aclose()
    assert proxied == []
    assert heads[0] == heads[1]
    names = {line.split(b":")[0].lower() for line in heads[0].split(b"\r\n")[1:] if line}
    assert names == {b"host", b"user-agent", b"accept", b"accept-encoding", b"connection"}


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/ảnh thẻ (1).jpg", b"/%E1%BA%A3nh%20th%E1%BA%BB%20(1).jpg"),
        ("/a?name=Nguyễn Văn A&x=1", b"/a?name=Nguy%E1%BB%85n%20V%C4%83n%20A&x=1"),
        ("/a%20b?sig=a%2Bb%3D", b"/a%20b?sig=a%2Bb%3D"),
        ("/100%.jpg#top", b"/100%25.jpg"),
        ("?u=http://x/y?z", b"/?u=http://x/y?z"),
    ],
)
async def test_urls_as_clients_send_them_arrive(path: str, sent: bytes) -> None:
    async with server(reply(headers="Content-Type: text/html\r\n")) as (port, heads):
        assert await fetch(f"  http://127.0.0.1:{port}{path}\n") == b"photo"
        assert heads[0].split()[1] == sent
        assert f"\r\nHost: 127.0.0.1:{port}\r\n".encode() in heads[0]


async def test_redirects_with_letters_of_any_script_arrive() -> None:
    async def handler(head: bytes, writer: asyncio.StreamWriter) -> None:
        await (redirect("/ảnh thẻ.jpg") if head.startswith(b"GET /a ") else reply())(head, writer)

    async with server(handler) as (port, heads):
        assert await fetch(f"http://127.0.0.1:{port}/a") == b"photo"
        assert heads[1].split()[1] == b"/%E1%BA%A3nh%20th%E1%BA%BB.jpg"


async def test_many_at_once() -> None:
    async with server(reply()) as (port, heads):
        fetcher = Fetcher(LOCAL, LIMITS)
        assert await asyncio.gather(*(fetcher.fetch(f"http://127.0.0.1:{port}/") for _ in range(50))) == [b"photo"] * 50
        await fetcher.aclose()
        assert len(heads) == 50


async def test_no_connection_stays_open_whatever_happened() -> None:
    handlers = {
        b"/ok": reply(),
        b"/status": reply(status="404 Not Found"),
        b"/redirect": redirect("/ok"),
        b"/large": reply(b"x" * 200_000),
        b"/drip": trickle(OK + b"\r\n"),
        b"/garbage": trickle(b"SSH-2.0"),
        b"/short": reply(b"", headers="X: y\r\nContent-Length: 7\r\n"),
    }

    async def handler(head: bytes, writer: asyncio.StreamWriter) -> None:
        await handlers[head.split()[1]](head, writer)

    async with server(handler) as (port, heads):
        fetcher = Fetcher(LOCAL, QUICK, ssl_context=trusting_nobody())
        urls = [f"http://127.0.0.1:{port}{path.decode()}" for path in handlers]
        results = await asyncio.gather(*(fetcher.fetch(url) for url in urls * 3), return_exceptions=True)
        assert {type(result) for result in results} <= {bytes, UrlUnavailableError}
        assert len(heads) >= len(urls)
        # And when the caller goes away.
        task = asyncio.create_task(fetcher.fetch(f"http://127.0.0.1:{port}/drip"))
        while not fetcher._pool.connections:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert fetcher._pool.connections == []
        await fetcher.aclose()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for images.example and its key, made by the openssl program."""
    if not shutil.which("openssl"):
        pytest.skip("needs the openssl program")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=images.example", "-addext", "subjectAltName=DNS:images.example"]
    subprocess.run([*command, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)  # noqa: S603
    return certificate, key


async def test_tls_names_the_host_and_checks_its_certificate(certificate: tuple[Path, Path]) -> None:
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(*certificate)
    asked: list[str | None] = []
    serving.sni_callback = lambda _socket, name, _context: asked.append(name)
    trusting = ssl.create_default_context(cafile=certificate[0])
    names = Names(images_example=[[PUBLIC_ADDRESS]], other_example=[[PUBLIC_ADDRESS]])
    async with server(reply(), serving) as (port, heads):
        network = Network(port)
        options: dict[str, Any] = {"resolver": names, "network": network}
        assert await fetch("https://images.example/", PUBLIC, ssl_context=trusting, **options) == b"photo"
        assert asked == ["images.example"]
        assert network.connected == [(PUBLIC_ADDRESS, 443)]
        assert b"\r\nHost: images.example\r\n" in heads[0]
        assert await refused("https://other.example/", PUBLIC, ssl_context=trusting, **options) is Reason.UNREACHABLE
        by_default = None
        assert await refused("https://images.example/", PUBLIC, ssl_context=by_default, **options) is Reason.UNREACHABLE
        assert len(heads) == 1


async def test_a_redirect_from_https_to_http_is_not_followed(certificate: tuple[Path, Path]) -> None:
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(*certificate)
    async with server(redirect("http://images.example/"), serving) as (port, heads):
        reason = await refused(
            "https://images.example/",
            PUBLIC,
            resolver=Names(images_example=[[PUBLIC_ADDRESS]]),
            network=Network(port),
            ssl_context=ssl.create_default_context(cafile=certificate[0]),
        )
        assert reason is Reason.REDIRECT
        assert len(heads) == 1
