"""Imports that are refused: the message names every api_key that is in the way."""

from __future__ import annotations

import pytest

from facematch_server.store import KeyExistsError, KeyPair, Store


def test_a_refused_import_names_all_keys_in_the_way(store: Store) -> None:
    store.import_keys([KeyPair("a", "secret"), KeyPair("b", "secret")])
    pairs = [KeyPair(name, "secret") for name in ("a", "a", "b", "c", "c", "d")]
    with pytest.raises(KeyExistsError, match=r"a, b, c$"):
        store.import_keys(pairs)
    assert [key.api_key for key in store.list_keys()] == ["a", "b"]
    assert store.taken(["a", "b", "c", "d"]) == {"a", "b"}
