"""`facematch keys` and `facematch db`."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

Facematch = Callable[..., Any]


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("FACEMATCH_DATABASE_URL", raising=False)
    monkeypatch.setenv("FACEMATCH_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@contextmanager
def opened_store() -> Iterator[Any]:
    from facematch_server.store import Store, default_database_url

    store = Store.open(default_database_url())
    yield store
    store.close()


def made(facematch: Facematch, *options: str) -> dict[str, str]:
    completed = facematch("keys", "create", "--json", *options)
    assert completed.code == 0
    pair: dict[str, str] = json.loads(completed.out)
    return pair


def listed(facematch: Facematch) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = json.loads(facematch("keys", "list", "--json").out)
    return keys


def test_create_prints_exactly_the_pair_as_json(facematch: Facematch, data_folder: Path) -> None:
    pair = made(facematch)
    assert list(pair) == ["api_key", "api_secret"]
    with opened_store() as store:
        assert store.authenticate(pair["api_key"], pair["api_secret"]) is not None
    assert (data_folder / "facematch.db").is_file()


def test_create_takes_every_setting(facematch: Facematch) -> None:
    options = [
        "--quota",
        "10",
        "--period",
        "month",
        "--profile",
        "observed",
        "--rate-limit",
        "60",
        "--expires",
        "2099-12-31",
    ]
    pair = made(facematch, "--name", "Ví điện tử", *options)
    [key] = listed(facematch)
    assert key.pop("created_at").endswith("+00:00")
    assert key == {
        "number": 1,
        "api_key": pair["api_key"],
        "name": "Ví điện tử",
        "state": "active",
        "quota": 10,
        "period": "month",
        "rate_limit": 60,
        "profile": "observed",
        "expires_at": "2100-01-01T00:00:00+00:00",
    }


def test_create_for_people_shows_the_secret_once(facematch: Facematch) -> None:
    completed = facematch("keys", "create", "--name", "app")
    words = completed.out.split()
    assert words[0::2] == ["api_key:", "api_secret:"]
    for command in (["list"], ["list", "--json"], ["usage"], ["audit"], ["audit", "--json"]):
        later = facematch("keys", *command)
        assert words[1] in later.out
        assert words[3] not in later.out + later.err


@pytest.mark.parametrize(
    "options",
    [
        ["--quota", "-1"],
        ["--quota", "many"],
        ["--quota", "1", "--period", "week"],
        ["--period", "day"],
        ["--profile", "other"],
        ["--rate-limit", "0"],
        ["--expires", "tomorrow"],
        ["--name", "a\nb"],
    ],
    ids=" ".join,
)
def test_impossible_settings_exit_with_2_and_create_nothing(facematch: Facematch, options: list[str]) -> None:
    completed = facematch("keys", "create", *options)
    assert completed.code == 2
    assert completed.out == ""
    assert "Traceback" not in completed.err
    assert listed(facematch) == []


def test_disable_and_enable(facematch: Facematch) -> None:
    one, two = made(facematch), made(facematch)
    assert facematch("keys", "disable", one["api_key"], two["api_key"]).code == 0
    assert {key["state"] for key in listed(facematch)} == {"disabled"}
    assert facematch("keys", "enable", two["api_key"]).code == 0
    assert [key["state"] for key in listed(facematch)] == ["disabled", "active"]
    unknown = facematch("keys", "disable", "nobody")
    assert (unknown.code, unknown.err) == (
        2,
        "facematch: no key has the api_key nobody; `facematch keys list` prints all keys\n",
    )


def test_rotate(facematch: Facematch) -> None:
    old = made(facematch)
    new = json.loads(facematch("keys", "rotate", old["api_key"], "--grace", "24h", "--json").out)
    with opened_store() as store:
        assert store.authenticate(**old) is not None
        assert store.authenticate(**new) is not None
    newest = json.loads(facematch("keys", "rotate", old["api_key"], "--json").out)
    with opened_store() as store:
        assert store.authenticate(**new) is None
        assert store.authenticate(**newest) is not None
    assert facematch("keys", "rotate", old["api_key"], "--grace", "a while").code == 2


def test_quota_and_usage(facematch: Facematch) -> None:
    pair = made(facematch)
    with opened_store() as store:
        key = store.authenticate(**pair)
        for _ in range(3):
            assert store.commit(store.reserve(key, 60))
    assert facematch("keys", "quota", pair["api_key"], "5", "--period", "day").code == 0
    [usage] = json.loads(facematch("keys", "usage", pair["api_key"], "--json").out)
    assert usage.pop("resets_at").endswith("T00:00:00+00:00")
    assert usage == {
        "api_key": pair["api_key"],
        "name": "",
        "today": 3,
        "month": 3,
        "total": 3,
        "reserved": 0,
        "quota": 5,
        "period": "day",
        "remaining": 2,
    }
    assert facematch("keys", "quota", pair["api_key"], "none").code == 0
    assert listed(facematch)[0]["quota"] is None
    assert facematch("keys", "quota", pair["api_key"], "-5").code == 2


def test_names_are_printed_as_they_are(facematch: Facematch) -> None:
    made(facematch, "--name", "[red]Ví[/red]")
    assert "[red]Ví[/red]" in facematch("keys", "list").out


def test_the_number_that_the_log_tells_is_in_the_list(facematch: Facematch) -> None:
    first, second = made(facematch, "--name", "one"), made(facematch, "--name", "two")
    with opened_store() as store:
        numbers = [store.authenticate(**pair).id for pair in (first, second)]
    assert [key["number"] for key in listed(facematch)] == numbers == [1, 2]
    lines = facematch("keys", "list").out.splitlines()
    assert "no." in lines[1]
    assert [line.split()[1] for line in lines if "two" in line] == ["2"]


@pytest.mark.parametrize("command", [("list",), ("usage",), ("audit",), ("disable", "x"), ("rotate", "x")])
def test_only_what_makes_keys_makes_a_database(facematch: Facematch, data_folder: Path, command: tuple[str]) -> None:
    completed = facematch("keys", *command)
    assert completed.code == (0 if command == ("list",) else 2)
    assert ("There are no keys yet" if command == ("list",) else "there is no SQLite file") in completed.err
    assert not data_folder.exists() or list(data_folder.iterdir()) == []


def test_a_misspelt_variable_leads_to_no_other_database(
    facematch: Facematch, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEMATCH_DATABSE_URL", "postgresql://host/name")
    for command in (("keys", "create"), ("keys", "list"), ("db", "status"), ("db", "upgrade")):
        completed = facematch(*command)
        assert completed.code == 2
        assert "did you mean FACEMATCH_DATABASE_URL?" in completed.err
    assert not data_folder.exists() or list(data_folder.iterdir()) == []


def test_import(facematch: Facematch, tmp_path: Path) -> None:
    file = tmp_path / "keys.csv"
    file.write_text("api_key,api_secret,name,quota\nclient-1,secret-1,An,5\nclient-2,secret-2,Bình,\n", "utf-8")
    assert facematch("keys", "import", file, "--check").code == 0
    assert listed(facematch) == []
    completed = facematch("keys", "import", file)
    assert (completed.code, completed.out) == (0, "2 keys imported\n")
    assert [(key["name"], key["quota"]) for key in listed(facematch)] == [("An", 5), ("Bình", None)]
    with opened_store() as store:
        assert store.authenticate("client-2", "secret-2") is not None
    again = facematch("keys", "import", file)
    assert again.code == 2
    assert [line.rpartition("keys.csv: ")[2] for line in again.err.splitlines()] == [
        "line 2: a key with this api_key exists: client-1",
        "line 3: a key with this api_key exists: client-2",
        "facematch: nothing was imported",
    ]


def test_import_of_a_file_with_wrong_lines_imports_nothing(facematch: Facematch, tmp_path: Path) -> None:
    file = tmp_path / "keys.csv"
    file.write_text("api_key,api_secret,quota\nclient-1,hunter2,5\nclient-2,hunter2,lots\n,hunter2,\n", "utf-8")
    completed = facematch("keys", "import", file)
    assert completed.code == 2
    assert "line 3: quota is not a whole number" in completed.err
    assert "line 4: the api_key is not usable" in completed.err
    assert completed.err.endswith("facematch: nothing was imported\n")
    assert "hunter2" not in completed.err
    assert listed(facematch) == []


def test_import_from_standard_input(facematch: Facematch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"api_key,api_secret\nclient-1,secret-1\n")))
    assert facematch("keys", "import", "-").code == 0
    assert [key["api_key"] for key in listed(facematch)] == ["client-1"]


def test_import_of_a_missing_file(facematch: Facematch, tmp_path: Path) -> None:
    completed = facematch("keys", "import", tmp_path / "none.csv")
    assert completed.code == 2
    assert completed.err.endswith("none.csv: No such file or directory\n")


def test_audit_names_who_did_what(facematch: Facematch) -> None:
    import os
    import pwd

    pair = made(facematch, "--quota", "3")
    facematch("keys", "disable", pair["api_key"])
    entries = json.loads(facematch("keys", "audit", "--json").out)
    assert [entry["action"] for entry in entries] == ["create", "disable"]
    assert {entry["actor"] for entry in entries} == {pwd.getpwuid(os.getuid()).pw_name}
    assert entries[0]["details"]["quota"] == 3
    assert len(json.loads(facematch("keys", "audit", "--limit", "1", "--json").out)) == 1
    assert json.loads(facematch("keys", "audit", "nobody", "--json").out) == []


def test_a_database_that_cannot_be_reached_is_one_line_without_the_password(
    facematch: Facematch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEMATCH_DATABASE_URL", "postgresql://scott:hunter2@127.0.0.1:1/keys")
    for command in (["keys", "list"], ["keys", "create"], ["db", "status"], ["db", "upgrade"]):
        completed = facematch(*command)
        assert completed.code == 2
        assert completed.err.startswith("facematch: PostgreSQL database keys on 127.0.0.1 cannot be")
        assert completed.err.count("\n") == 1
        assert "hunter2" not in completed.err


def test_db_status_and_upgrade(facematch: Facematch) -> None:
    before = facematch("db", "status")
    assert before.code == 1
    assert "facematch db upgrade" in before.out
    upgraded = facematch("db", "upgrade")
    assert upgraded.code == 0
    assert "upgraded from revision none" in upgraded.out
    assert "already at" in facematch("db", "upgrade").out
    after = facematch("db", "status")
    assert after.code == 0
    assert "up to date" in after.out
