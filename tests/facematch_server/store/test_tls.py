"""PostgreSQL over TLS: a connection is used again, whatever the handshake leaves unread."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import text

from facematch_server.store import KeySettings, Store, upgrade
from tests.ports import free_port
from tests.postgres_server import throwaway_server

pytestmark = pytest.mark.slow


@pytest.fixture
def url() -> Iterator[str]:
    """URL of a server that takes TLS on a port."""
    openssl = shutil.which("openssl") or pytest.skip("needs the openssl command")
    with throwaway_server() as server:
        server.stop()
        key, certificate = (server.data / name for name in ("server.key", "server.crt"))
        command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost"]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603
        owner = server.folder.stat()
        for file in (key, certificate):
            os.chown(file, owner.st_uid, owner.st_gid)
            file.chmod(0o600)
        port = free_port()
        server.start(listen_addresses="127.0.0.1", port=port, ssl="on")
        url = f"postgresql://tests@127.0.0.1:{port}/postgres?sslmode=require"
        upgrade(url)
        yield url


def test_one_connection_serves_many_requests(url: str) -> None:
    """If it were taken for dead, each request would cost a handshake."""
    with closing(Store.open(url)) as store:
        new = store.create_key(KeySettings(quota=100))
        seen = set()
        for _ in range(10):
            key = store.authenticate(new.api_key, new.api_secret)
            assert key is not None
            reservation = store.reserve(key, 60)
            assert reservation is not None
            assert store.commit(reservation)
            with store._sessions.read() as session:
                asked = text("SELECT pid, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                seen.add(tuple(session.execute(asked).one()))
        assert len(seen) == 1
        assert seen.pop()[1] is True
