"""A refusal does the work of a success, whatever its reason: which hashes are computed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from facematch_server.store import KeyPair, Store
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
