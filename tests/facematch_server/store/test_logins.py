"""A refusal does the work of a success, whatever its reason: which hashes are computed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from facematch_server.store import KeyPair, KeySettings, Store
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
def test_an_unknown_key_costs_a_strong_hash(store: Store, spent: list[tuple[bool, bool]], api_key: str) -> None:
    store.create_key()
    assert store.authenticate(api_key, "secret") is None
    assert spent == [STRONG]


def test_with_an_imported_key_every_refusal_costs_a_slow_hash_too(store: Store, spent: list[tuple[bool, bool]]) -> None:
    made = store.create_key()
    [imported] = store.import_keys([KeyPair("imported", "secret")])
    assert store.authenticate("unknown", "secret") is None
    assert spent == [STRONG, WEAK]
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
