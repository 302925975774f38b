"""Replicas get the settings without secrets, and refuse what a cluster cannot do."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from facematch_local.errors import FacematchError
from facematch_server.cluster.shipping import (
    DATABASE,
    received,
    require_possible,
    require_shared_database,
    shipped,
    threads_of,
)
from facematch_server.settings import Settings

POSTGRES = "postgresql+psycopg://me:SECRET@database/keys"


def settings_of(**given: object) -> Settings:
    return Settings(**given)  # type: ignore[arg-type]


def test_the_address_of_the_database_stays_at_home() -> None:
    values = shipped(
        settings_of(database_url=POSTGRES, data_dir="/here", tls_cert=Path("c.pem"), tls_key=Path("k.pem"))
    )
    assert b"SECRET" not in pickle.dumps(values)
    assert not values.keys() & {"database_url", "data_dir", "tls_cert", "tls_key"}


def test_a_replica_has_the_settings_of_the_command_and_the_database_of_its_node(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = shipped(settings_of(database_url=POSTGRES, queue_size=7, url_allow=("a.example", "b.example"), port=1234))
    monkeypatch.setenv(DATABASE, "postgresql+psycopg://elsewhere/keys")
    monkeypatch.setenv("FACEMATCH_QUEUE_SIZE", "9")
    settings = received(values, shared=True)
    assert settings.database_url == "postgresql+psycopg://elsewhere/keys"
    assert (settings.queue_size, settings.url_allow, settings.port) == (7, ("a.example", "b.example"), 1234)


def test_a_replica_has_its_share_of_the_cpus() -> None:
    assert shipped(settings_of())["threads"] == threads_of(settings_of()) == 1
    assert shipped(settings_of(threads=3))["threads"] == threads_of(settings_of(threads=3)) == 3


def test_a_node_without_the_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    values = shipped(settings_of(database_url=POSTGRES))
    monkeypatch.delenv(DATABASE, raising=False)
    with pytest.raises(FacematchError, match=f"{DATABASE} names none on this node"):
        received(values, shared=True)
    assert received(values, shared=False).store_url.startswith("sqlite")


@pytest.mark.parametrize("url", ["", "sqlite:////tmp/a.db", "sqlite://"])
def test_files_are_not_shared(url: str) -> None:
    with pytest.raises(FacematchError, match="share keys and quotas in PostgreSQL"):
        require_shared_database(settings_of(database_url=url))
    require_shared_database(settings_of(database_url=POSTGRES))


def test_a_second_port_is_refused() -> None:
    require_possible(settings_of())
    with pytest.raises(FacematchError, match="FACEMATCH_INTERNAL_PORT: Ray Serve has one port"):
        require_possible(settings_of(internal_port=9000))


def test_a_port_that_nobody_knows_is_refused() -> None:
    with pytest.raises(FacematchError, match="FACEMATCH_PORT: Ray Serve cannot choose a free port"):
        require_possible(settings_of(port=0))


def test_workers_beside_replicas_are_refused() -> None:
    with pytest.raises(FacematchError, match="FACEMATCH_WORKERS: on Ray the replicas take the place of workers"):
        require_possible(settings_of(workers=2))
