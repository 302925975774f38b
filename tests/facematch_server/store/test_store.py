"""Keys, secrets, quota, rate limits, audit trail."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from facematch_server.store import (
    InvalidKeyError,
    KeyExistsError,
    KeyPair,
    KeySettings,
    NewKey,
    Period,
    Store,
    UnavailableError,
    UnknownKeyError,
)
from facematch_server.wire.profile import Profile
from tests.facematch_server.store.key_steps import everything_stored, known, spend


def test_a_store_is_used_after_the_first_counted_request(store: Store) -> None:
    key = known(store, store.create_key())
    assert not store.is_used()
    reservation = store.reserve(key, 60)
    assert reservation is not None
    assert not store.is_used()
    store.commit(reservation)
    assert store.is_used()


def test_a_created_key_is_accepted_with_its_secret_only(store: Store) -> None:
    new, other = store.create_key(KeySettings("one")), store.create_key(KeySettings("two"))
    assert known(store, new) == new.key
    assert len(bytes.fromhex(new.api_secret)) == 32
    for secret in ("", "x", new.api_secret[:-1], new.api_secret + "0", new.api_secret.upper(), other.api_secret):
        assert store.authenticate(new.api_key, secret) is None
    assert store.authenticate(other.api_key[:-1], other.api_secret) is None


@pytest.mark.parametrize(
    ("api_key", "api_secret"),
    [
        ("", ""),
        ("\0", "x"),
        ("x", "\0"),
        ("\ud800", "x"),
        ("x", "\udfff"),
        ("k" * 10**6, "x"),
        ("x", "s" * 10**6),
        ("%", "_"),
    ],
    ids=["empty", "nul key", "nul secret", "surrogate key", "surrogate secret", "long key", "long secret", "wildcards"],
)
def test_whatever_a_client_sends_is_refused_quietly(store: Store, api_key: str, api_secret: str) -> None:
    store.create_key()
    assert store.authenticate(api_key, api_secret) is None


def test_disabled_and_expired_keys_are_refused(store: Store, clock: Any) -> None:
    new = store.create_key(KeySettings(expires_at=clock.now + timedelta(minutes=5)))
    store.disable_key(new.api_key)
    assert store.authenticate(new.api_key, new.api_secret) is None
    store.enable_key(new.api_key)
    clock.forward(minutes=4, seconds=59)
    assert store.authenticate(new.api_key, new.api_secret) is not None
    clock.forward(seconds=1)
    assert store.authenticate(new.api_key, new.api_secret) is None


def test_rotation_ends_the_old_secret_at_once_or_after_the_grace_period(store: Store, clock: Any) -> None:
    first = store.create_key()
    second = store.rotate_key(first.api_key)
    assert store.authenticate(first.api_key, first.api_secret) is None
    third = store.rotate_key(first.api_key, grace=timedelta(hours=1))
    assert store.authenticate(first.api_key, second.api_secret) is not None
    assert store.authenticate(first.api_key, third.api_secret) is not None
    assert store.authenticate(first.api_key, first.api_secret) is None
    clock.forward(hours=1)
    assert store.authenticate(first.api_key, second.api_secret) is None
    assert store.authenticate(first.api_key, third.api_secret) is not None
    with pytest.raises(InvalidKeyError):
        store.rotate_key(first.api_key, grace=timedelta(seconds=-1))


def test_an_imported_pair_is_accepted_and_its_weak_secret_hashed_slowly(
    real_slow_hash: None, store: Store, database_url: str
) -> None:
    store.import_keys([KeyPair("khách-1", "matkhau", KeySettings(name="moved over", profile=Profile.OBSERVED))])
    for _ in range(2):  # the second time from the cache of proofs
        key = store.authenticate("khách-1", "matkhau")
        assert key is not None
        assert key.profile == "observed"
        assert store.authenticate("khách-1", "matkhau2") is None
    assert "scrypt$16384$8$1$" in everything_stored(database_url)
    store.rotate_key("khách-1")
    assert store.authenticate("khách-1", "matkhau") is None
    assert "scrypt" not in everything_stored(database_url)


def test_refusals_do_the_same_work_whatever_their_reason(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from facematch_server.store import hashing, logins

    work: list[str] = []
    strong, weak = hashing._sha256, hashing._scrypt
    monkeypatch.setattr(hashing, "_sha256", lambda *a: work.append("sha256") or strong(*a))
    monkeypatch.setattr(hashing, "_scrypt", lambda *a: work.append("scrypt") or weak(*a))

    def work_of(api_key: str, api_secret: str) -> list[str]:
        work.clear()
        assert store.authenticate(api_key, api_secret) is None
        return sorted(work)

    made = store.create_key()
    assert work_of("nobody", "x") == work_of(made.api_key, "x") == work_of("", "") == ["sha256"]
    store.import_keys([KeyPair("moved", "matkhau")])
    monkeypatch.setattr(logins, "_SLOW_KEYS_SECONDS", 0.0)  # a running service learns of an import within this time
    refused = [("nobody", "x"), (made.api_key, "x"), ("moved", "x"), ("\0", "")]
    assert [work_of(*pair) for pair in refused] == [["scrypt", "sha256"]] * 4


def test_no_secret_is_stored_printed_or_audited(
    store: Store, database_url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    new = store.create_key(KeySettings("one"))
    store.import_keys([KeyPair("moved", "matkhau-cua-toi")])
    rotated = store.rotate_key(new.api_key, grace=timedelta(hours=1))
    known(store, rotated)
    store.authenticate("moved", "matkhau-cua-toi")
    pair = KeyPair("a", "matkhau-cua-toi")
    seen = "\n".join(
        [
            everything_stored(database_url),
            caplog.text,
            *capfd.readouterr(),
            repr((new, rotated, pair, store, store.list_keys(), store.audit(), dataclasses.asdict(new.key))),
            f"{new} {pair}",
        ]
    )
    for secret in (new.api_secret, rotated.api_secret, "matkhau-cua-toi"):
        assert secret not in seen


def test_errors_hold_neither_secret_nor_hash(store: Store, database_url: str) -> None:
    store.import_keys([KeyPair("moved", "matkhau-cua-toi")])
    with pytest.raises(KeyExistsError) as raised:
        store.import_keys([KeyPair("moved", "matkhau-cua-toi")])
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit RENAME TO audit2"))
    with pytest.raises(UnavailableError) as broken:
        store.import_keys([KeyPair("moved2", "matkhau-cua-toi")])
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit2 RENAME TO audit"))
    engine.dispose()
    for message in (str(raised.value), str(broken.value), repr(broken.value.__cause__)):
        assert "matkhau" not in message
        assert "scrypt" not in message
    assert [key.api_key for key in store.list_keys()] == ["moved"]


def test_settings_come_back_as_given(store: Store) -> None:
    expires = datetime(2030, 1, 1, 7, tzinfo=UTC)
    new = store.create_key(
        KeySettings(
            "Ví điện tử", quota=10, period=Period.MONTH, profile=Profile.OBSERVED, rate_limit=60, expires_at=expires
        )
    )
    [listed] = store.list_keys()
    assert listed == new.key == known(store, new)
    assert listed.settings == KeySettings("Ví điện tử", 10, Period.MONTH, Profile.OBSERVED, 60, expires)
    assert (listed.name, listed.quota, listed.period, listed.profile) == ("Ví điện tử", 10, "month", "observed")
    assert (listed.rate_limit, listed.expires_at, listed.disabled) == (60, expires, False)


@pytest.mark.parametrize(
    "settings",
    [
        {"quota": -1},
        {"quota": 2**31},
        {"period": "week"},
        {"profile": "other"},
        {"rate_limit": 0},
        {"expires_at": datetime(2030, 1, 1)},
        {"name": "a\nb"},
        {"name": "n" * 201},
        {"name": "\ud800"},
    ],
    ids=str,
)
def test_impossible_settings_are_refused(store: Store, settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidKeyError):
        store.create_key(KeySettings(**settings))
    assert store.list_keys() == []


@pytest.mark.parametrize(
    ("api_key", "api_secret"),
    [("", "x"), ("a:b", "x"), (" a", "x"), ("a\r", "x"), ("a", ""), ("a", "x\n"), ("a" * 256, "x")],
)
def test_pairs_basic_authentication_cannot_carry_are_refused(store: Store, api_key: str, api_secret: str) -> None:
    with pytest.raises(InvalidKeyError):
        store.import_keys([KeyPair(api_key, api_secret)])
    assert store.list_keys() == []


def test_unknown_keys_are_named(store: Store) -> None:
    for action in (store.disable_key, store.enable_key, store.rotate_key, store.usage):
        with pytest.raises(UnknownKeyError, match="nobody"):
            action("nobody")
    with pytest.raises(UnknownKeyError, match="nobody"):
        store.set_quota("nobody", 1)
    assert store.audit() == []


def test_import_is_all_or_nothing(store: Store) -> None:
    store.import_keys([KeyPair("there", "secret-1")])
    with pytest.raises(KeyExistsError, match=r"there$"):
        store.import_keys([KeyPair("new", "secret-2"), KeyPair("there", "secret-3")])
    with pytest.raises(KeyExistsError, match=r"twice$"):
        store.import_keys([KeyPair("twice", "secret-2"), KeyPair("twice", "secret-3")])
    assert [key.api_key for key in store.list_keys()] == ["there"]
    assert store.taken(["there", "new"]) == {"there"}


def test_the_first_key_is_made_once(store: Store) -> None:
    first = store.create_first_key()
    assert first is not None
    assert store.create_first_key() is None
    assert len(store.list_keys()) == 1


def test_every_change_is_audited_and_only_changes(store: Store, clock: Any) -> None:
    new = store.create_key(KeySettings("app", quota=5, period=Period.DAY))
    store.import_keys([KeyPair("moved", "secret-1")])
    clock.forward(minutes=1)
    store.disable_key(new.api_key)
    store.disable_key(new.api_key)
    store.enable_key(new.api_key)
    store.enable_key(new.api_key)
    store.set_quota(new.api_key, None)
    store.rotate_key(new.api_key, grace=timedelta(minutes=9))
    known(store, NewKey(new.key, store.rotate_key(new.api_key).api_secret))
    entries = store.audit()
    assert [(entry.action, entry.api_key) for entry in entries] == [
        ("create", new.api_key),
        ("import", "moved"),
        *((action, new.api_key) for action in ("disable", "enable", "set_quota", "rotate", "rotate")),
    ]
    assert {entry.actor for entry in entries} == {"test"}
    assert entries[0].details["quota"] == 5
    assert entries[0].details["period"] == "day"
    assert entries[4].details == {"quota": None, "period": "total"}
    assert entries[5].details == {"previous_secret_until": (clock.now + timedelta(minutes=9)).isoformat()}
    assert entries[2].at - entries[0].at == timedelta(minutes=1)
    assert [entry.action for entry in store.audit("moved")] == ["import"]
    assert [entry.action for entry in store.audit(limit=2)] == ["rotate", "rotate"]


def test_ping(store: Store, database_url: str) -> None:
    store.ping()


def test_keys_and_counts_are_there_after_a_restart(open_store: Callable[[], Store]) -> None:
    store = open_store()
    new = store.create_key(KeySettings(quota=2))
    assert spend(store, known(store, new))
    store.close()
    again = open_store()
    key = known(again, new)
    assert spend(again, key)
    assert not spend(again, key)
