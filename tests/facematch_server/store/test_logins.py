"""A refusal does the work of a success, whatever its reason: which hashes are computed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from facematch_server.store import KeyPair, KeySettings, Store, hashing, logins
from facematch_server.store.hashing import Verifier


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, bool]]:
    """Decoys that were hashed: strong, weak."""
    asked: list[tuple[bool, bool]] = []

    def spend(self: Verifier, secret: str, *, strong: bool, weak: bool) -> None:
        assert secret
        asked.append((strong, weak))

    monkeypatch.setattr(Verifier, "spend", spend)
    return asked


STRONG, WEAK = (True, False), (False, True)


def test_a_key_made_here_needs_no_decoy(store: Store, spent: list[tuple[bool, bool]]) -> None:
    made = store.create_key()
    assert store.authenticate(made.api_key, made.api_secret) == made.key
    assert store.authenticate(made.api_key, "wrong") is None
    assert spent == []


@pytest.mark.parametrize("api_key", ["unknown", "", "a:b", "x" * 256])
def test_an_unknown_key_costs_what_a_wrong_secret_costs(
    store: Store, monkeypatch: pytest.MonkeyPatch, api_key: str
) -> None:
    made = store.create_key()
    hashed: list[str] = []
    strong = hashing._sha256
    monkeypatch.setattr(hashing, "_sha256", lambda secret, salt: hashed.append(secret) or strong(secret, salt))
    assert store.authenticate(made.api_key, "secret") is None
    assert len(hashed) == 1
    assert store.authenticate(api_key, "secret") is None
    assert len(hashed) == 2


def test_an_unknown_key_needs_a_decoy_only_where_the_first_key_has_a_slow_hash(
    store: Store, spent: list[tuple[bool, bool]]
) -> None:
    assert store.authenticate("unknown", "secret") is None
    assert spent == [STRONG]  # there is no key at all
    store.import_keys([KeyPair("imported", "secret")])
    spent.clear()
    assert store.authenticate("unknown", "other") is None
    assert spent == [STRONG]


@pytest.mark.parametrize("first", ["made here", "imported", "disabled"])
def test_the_secret_of_the_first_key_opens_no_other_name(store: Store, first: str) -> None:
    """An unknown key is checked against the first one, and must never pass for it."""
    if first == "imported":
        store.import_keys([KeyPair("first", "secret")])
        api_key, api_secret = "first", "secret"
    else:
        made = store.create_key()
        api_key, api_secret = made.api_key, made.api_secret
    assert store.authenticate(api_key, api_secret) is not None  # an imported secret is then known
    if first == "disabled":
        store.disable_key(api_key)
    store.import_keys([KeyPair("other", "of another")])
    for unknown in ("unknown", "", api_key.swapcase()):
        login = store.look_up(unknown, api_secret)
        assert (login.key, login.candidate, login.hashes) == (None, None, ())
        assert login.slow  # as for any refusal where a key has a slow hash
        assert store.settle(login) is None
        assert store.recall(unknown, api_secret) is None


def test_the_question_for_slow_keys_is_asked_every_few_seconds_only(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads all keys. An imported key itself always costs a slow hash."""
    store.create_key()
    assert not store.look_up("unknown", "secret").slow
    store.import_keys([KeyPair("imported", "secret")])
    assert not store.look_up("unknown", "secret").slow
    assert store.look_up("imported", "wrong").slow
    monkeypatch.setattr(logins, "_SLOW_KEYS_SECONDS", 0.0)
    assert store.look_up("unknown", "secret").slow


def test_with_an_imported_key_every_refusal_costs_a_slow_hash_too(store: Store, spent: list[tuple[bool, bool]]) -> None:
    made = store.create_key()
    [imported] = store.import_keys([KeyPair("imported", "secret")])
    assert store.authenticate("unknown", "secret") is None
    assert spent == [WEAK]
    spent.clear()
    assert store.authenticate(made.api_key, "wrong") is None
    assert spent == [WEAK]
    spent.clear()
    assert store.authenticate("imported", "wrong") is None
    assert store.authenticate("imported", "secret") == imported
    assert spent == [STRONG, STRONG]
    spent.clear()
    login = store.look_up("imported", "secret")
    assert (login.key, login.slow, spent) == (imported, False, [])  # verified before


def test_the_secret_before_the_last_is_valid_for_its_grace(store: Store, clock: Any) -> None:
    made = store.create_key()
    rotated = store.rotate_key(made.api_key, grace=timedelta(minutes=5))
    again = [store.authenticate(made.api_key, secret) for secret in (made.api_secret, rotated.api_secret)]
    assert all(again)
    clock.forward(minutes=5)
    assert store.authenticate(made.api_key, made.api_secret) is None
    assert store.authenticate(made.api_key, rotated.api_secret) is not None


# -- logins that the process knows --------------------------------------------------------------------------------


def known(store: Store, api_key: str, api_secret: str) -> Any:
    found = store.recall(api_key, api_secret)
    assert found is not None
    return found


def test_a_known_login_is_admitted_in_one_step(store: Store) -> None:
    made = store.create_key(KeySettings(quota=1))
    assert store.recall(made.api_key, made.api_secret) is None
    store.look_up(made.api_key, made.api_secret)
    assert store.recall(made.api_key, "wrong") is None
    login = known(store, made.api_key, made.api_secret)
    assert made.api_secret not in repr(login)
    admitted = store.admit(login, 60)
    assert admitted is not None
    assert admitted.key == made.key
    assert admitted.reservation is not None
    used_up = store.admit(login, 60)
    assert used_up is not None
    assert used_up.reservation is None
    assert store.commit(admitted.reservation)
    assert store.usage(made.api_key).total == 1


def test_an_imported_key_is_known_once_its_slow_hash_was_right(store: Store) -> None:
    store.import_keys([KeyPair("imported", "secret", KeySettings(quota=1))])
    store.look_up("imported", "secret")
    assert store.recall("imported", "secret") is None
    assert store.authenticate("imported", "wrong") is None
    assert store.recall("imported", "wrong") is None
    assert store.authenticate("imported", "secret") is not None
    assert store.admit(known(store, "imported", "secret"), 60) is not None


def test_a_key_without_a_quota_needs_no_such_step(store: Store) -> None:
    made = store.create_key()
    store.look_up(made.api_key, made.api_secret)
    assert store.recall(made.api_key, made.api_secret) is None


@pytest.mark.parametrize("change", ["disable", "rotate", "expire", "end of grace", "gone"])
def test_a_change_of_the_key_ends_a_known_login_at_once(
    store: Store, clock: Any, database_url: str, change: str
) -> None:
    """And reserves nothing for it."""
    made = store.create_key(KeySettings(quota=5, expires_at=clock.now + timedelta(days=1)))
    store.look_up(made.api_key, made.api_secret)
    login = known(store, made.api_key, made.api_secret)
    if change == "disable":
        store.disable_key(made.api_key)
    elif change == "rotate":
        store.rotate_key(made.api_key)
    elif change == "end of grace":
        store.rotate_key(made.api_key, grace=timedelta(minutes=5))
        assert store.admit(login, 1) is not None  # the old secret holds for its grace
        clock.forward(minutes=5)
    elif change == "gone":
        engine = create_engine(database_url)
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM api_keys"))
        engine.dispose()
    else:
        clock.forward(days=1)
    assert store.admit(login, 60) is None
    assert store.recall(made.api_key, made.api_secret) is None
    if change != "gone":
        assert store.usage(made.api_key).reserved == 0


def test_changed_settings_of_a_known_login_hold_at_once(store: Store) -> None:
    made = store.create_key(KeySettings(quota=5))
    store.look_up(made.api_key, made.api_secret)
    login = known(store, made.api_key, made.api_secret)
    store.set_quota(made.api_key, 0)
    admitted = store.admit(login, 60)
    assert admitted is not None
    assert (admitted.key.quota, admitted.reservation) == (0, None)
    assert known(store, made.api_key, made.api_secret).key.quota == 0
    store.set_quota(made.api_key, None)
    admitted = store.admit(login, 60)
    assert admitted is not None
    assert admitted.reservation is not None
    assert not admitted.reservation.limited
    assert store.recall(made.api_key, made.api_secret) is None


def test_known_logins_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from facematch_server.store import logins

    monkeypatch.setattr(logins, "_KNOWN", 2)
    made = [store.create_key(KeySettings(quota=5)) for _ in range(3)]
    for new in made:
        store.look_up(new.api_key, new.api_secret)
    assert [store.recall(new.api_key, new.api_secret) is not None for new in made] == [False, True, True]
