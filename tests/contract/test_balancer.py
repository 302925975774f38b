"""Ordinary services behind nginx, with the upstream of docs/operating.md and one PostgreSQL."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from facematch_server.store import KeySettings, NewKey, Store, upgrade
from tests.nginx_process import nginx_program, running_nginx
from tests.ports import free_port
from tests.service_process import Process

ROOT = Path(__file__).resolve().parents[2]
V2 = "/api/v2/ekyc/face_matching"
pytestmark = pytest.mark.slow


@pytest.fixture
def database(postgres: Any) -> Iterator[str]:
    with postgres.new_database() as url:
        upgrade(url)
        yield url


@pytest.fixture
def services(launch: Callable[..., Process], database: str) -> list[Process]:
    nginx_program()
    return [launch(DATABASE_URL=database, THREADS=1, URL_POLICY="off") for _ in range(2)]


@pytest.fixture
def balancer(services: list[Process], tmp_path: Path) -> Iterator[str]:
    """nginx with the documented upstream; its URL."""
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    upstream = re.findall(r"```nginx\n(upstream facematch \{.*?\n\})\n```", page, re.DOTALL)
    assert len(upstream) == 1
    text = upstream[0]
    for documented, service in zip((8000, 8010), services, strict=True):
        assert f"127.0.0.1:{documented}" in text
        text = text.replace(f"127.0.0.1:{documented}", f"127.0.0.1:{service.ports[0]}")
    # The locations as they are shipped; without TLS and without the limit per address.
    site = (ROOT / "server" / "deploy" / "nginx.conf").read_text("utf-8")
    api = re.search(r"    location /api/ \{.*?\n    \}", site, re.DOTALL)
    assert api
    location = "\n".join(line for line in api[0].splitlines() if "limit_req" not in line)
    port = free_port()
    server = f"server {{\nlisten 127.0.0.1:{port};\nclient_max_body_size 32m;\n{location}\n}}\n"
    with running_nginx(tmp_path, f"access_log off;\n{text}\n{server}", port):
        yield f"http://127.0.0.1:{port}"


def counted(service: Process) -> bool:
    text = requests.get(f"http://127.0.0.1:{service.ports[0]}/metrics", timeout=20).text
    return 'error_code="0"' in text


def post(url: str, new: NewKey, photo: bytes) -> str:
    """The errorCode of one comparison, or the status of a reply that is not the service's."""
    reply = requests.post(
        url + V2,
        params={"type1": "portrait", "format_type": "file"},
        files={"img1": photo, "img2": photo},
        auth=(new.api_key, new.api_secret),
        timeout=60,
    )
    return str(reply.json()["errorCode"]) if "json" in reply.headers["Content-Type"] else str(reply.status_code)


def test_a_quota_is_exact_over_all_services_and_one_may_die(
    balancer: str, services: list[Process], database: str, astronaut_jpeg: bytes
) -> None:
    with closing(Store.open(database)) as store:
        new = store.create_key(KeySettings("counted", quota=12))
        with ThreadPoolExecutor(4) as threads:
            said = Counter(threads.map(lambda _: post(balancer, new, astronaut_jpeg), range(8)))
            assert said == {"0": 8}
            assert all(counted(service) for service in services)
            services[0].popen.kill()
            services[0].popen.wait()
            said += Counter(threads.map(lambda _: post(balancer, new, astronaut_jpeg), range(20)))
        assert said["0"] == 12
        assert said["502"] <= 8  # requests of the two seconds before nginx leaves the dead service out
        assert set(said) <= {"0", "4", "502"}
        usage = store.usage(new.api_key)
        assert (usage.total, usage.reserved, usage.remaining) == (12, 0, 0)
