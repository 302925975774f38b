"""`server/deploy/nginx.conf` as it stands in front of the service: TLS, the old host name, no photo on disk."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.nginx_process import nginx_program, running_nginx
from tests.ports import free_port

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
HOST = "face.example.vn"


def _certificate(folder: Path) -> None:
    """A site's own CA (`ca.pem`) and a certificate of it for `HOST`."""
    openssl = shutil.which("openssl") or pytest.skip("needs the openssl command")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    ca = ["req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Site CA"]
    leaf = ["req", "-x509", *curve, "-keyout", "facematch.key", "-out", "facematch.pem", "-subj", f"/CN={HOST}"]
    leaf += ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", f"subjectAltName=DNS:{HOST}"]
    leaf += ["-addext", "basicConstraints=critical,CA:FALSE"]
    for arguments in (ca, leaf):
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S603


@pytest.fixture
def proxy(start: Callable[..., Any], tmp_path: Path) -> Iterator[tuple[Any, int, Path]]:
    """The service, nginx's TLS port before it, and the folder nginx works in."""
    nginx_program()
    _certificate(tmp_path)
    live, port = start(url_policy="off"), free_port()
    site = (ROOT / "server" / "deploy" / "nginx.conf").read_text("utf-8")
    # Only places, ports and the level of the log differ from the file as it is shipped.
    for old, new in {
        "server 127.0.0.1:8000;": f"server 127.0.0.1:{live.port};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "    listen [::]:443 ssl;\n": "",
        "/etc/nginx/tls/": f"{tmp_path}/",
        # At this level nginx logs when it buffers a body in a file.
        "/var/log/nginx/facematch.error.log crit;": f"{tmp_path}/site.log warn;",
    }.items():
        assert old in site
        site = site.replace(old, new)
    with running_nginx(tmp_path, site, port):
        yield live, port, tmp_path


@pytest.fixture
def _host_leads_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The effect of a line in /etc/hosts: `HOST` is this machine."""
    resolve = socket.getaddrinfo

    def here(host: Any, *rest: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if host == HOST else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)


@pytest.mark.usefixtures("_host_leads_here")
def test_an_existing_client_through_tls(proxy: tuple[Any, int, Path], astronaut_jpeg: bytes) -> None:
    live, port, folder = proxy
    endpoint = f"https://{HOST}:{port}/api/v2/ekyc/face_matching"
    # A large photo: nginx spools a body beyond its buffers, unless configured otherwise.
    large = astronaut_jpeg + b"\0" * 3_000_000
    response = requests.post(
        endpoint,
        params={"type1": "portrait", "format_type": "file"},
        files={"img1": ("a.jpg", large), "img2": ("b.jpg", astronaut_jpeg)},
        auth=live.auth,
        verify=str(folder / "ca.pem"),
        timeout=60,
    )
    reply = response.json()
    assert (response.status_code, reply["errorCode"], reply["data"]["match"]) == (200, "0", "1")
    assert "temporary file" not in (folder / "site.log").read_text()

    wrong = requests.post(endpoint, auth=("no", "no"), verify=str(folder / "ca.pem"), timeout=60)
    assert wrong.json()["errorCode"] == "5"
    with pytest.raises(requests.exceptions.SSLError):
        requests.post(endpoint, timeout=60)
    for path in ("/", "/metrics", "/docs", "/v1/compare"):
        beside = requests.get(f"https://{HOST}:{port}{path}", verify=str(folder / "ca.pem"), timeout=60)
        assert beside.status_code == 404, path
