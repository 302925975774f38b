"""Clusters that cannot be reached end in one line, soon."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from facematch_local.batch.cluster.connecting import connected, meaning
from facematch_local.errors import FacematchError


def connect(address: str | None) -> None:
    with connected(address, 1, 100_000_000):
        pass


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(FacematchError, match=r"pip install 'facematch-local\[ray\]'"):
        connect(None)


@pytest.mark.parametrize("address", ["ray://localhost:1", "localhost", "localhost:", ":1", "localhost:x", ""])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(FacematchError, match=r"the address of a cluster is HOST:PORT of its head, or auto"):
        connect(address)


def test_nobody_listens() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{reserved.getsockname()[1]}"
        with pytest.raises(FacematchError, match=rf"{address}: the cluster cannot be reached \(Connection refused\)"):
            connect(address)


@pytest.mark.parametrize("port", ["99999", "999999999999999999999"])
def test_a_port_beyond_the_last_one(port: str) -> None:
    with pytest.raises(FacematchError, match="the cluster cannot be reached"):
        connect(f"127.0.0.1:{port}")


@pytest.mark.slow
def test_something_else_listens() -> None:
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as other:
        started = time.monotonic()
        with pytest.raises(FacematchError, match=r"cannot be reached \(no head of a cluster answers there\)"):
            connect(f"127.0.0.1:{other.getsockname()[1]}")
    assert time.monotonic() - started < 60


def test_versions_that_differ() -> None:
    text = (
        "Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n    Python: 3.10.2\n"
        "This process on node 10.0.0.1 was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
    )
    said = meaning(RuntimeError(text), "head:6379")
    assert said.startswith("head:6379: the cluster runs another version of Ray or Python than this command")
    assert "Ray: 2.9.0" in said
    assert "Ray: 2.60.0" in said
    assert "\n" not in said
