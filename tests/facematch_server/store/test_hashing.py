"""Secrets at rest: the stored text, its parameters, and what the cache of proofs keeps."""

from __future__ import annotations

import hashlib

import pytest

from facematch_server.store import hashing
from facematch_server.store.hashing import Verifier, hash_strong, hash_weak, new_secret


def test_a_fresh_secret_has_256_bits() -> None:
    secret = new_secret()
    assert len(bytes.fromhex(secret)) == 32
    assert secret != new_secret()


def test_strong_hashes_are_salted_sha256() -> None:
    scheme, salt, digest = hash_strong("secret").split("$")
    assert (scheme, len(bytes.fromhex(salt))) == ("sha256", 16)
    assert digest == hashlib.sha256(bytes.fromhex(salt) + b"secret").hexdigest()
    assert hash_strong("secret") != hash_strong("secret")


def test_weak_hashes_are_scrypt_with_its_interactive_parameters(real_slow_hash: None) -> None:
    scheme, n, r, p, salt, digest = hash_weak("secret").split("$")
    assert (scheme, n, r, p, len(bytes.fromhex(salt))) == ("scrypt", "16384", "8", "1", 16)
    expected = hashlib.scrypt(b"secret", salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=32, maxmem=2**26)
    assert digest == expected.hex()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Secrets that were hashed with scrypt, which is done here by a cheap stand-in."""
    asked: list[str] = []

    def cheap(secret: str, salt: bytes, n: int, r: int, p: int) -> bytes:
        asked.append(secret)
        return hashlib.sha256(f"{secret} {salt.hex()} {n} {r} {p}".encode()).digest()

    monkeypatch.setattr(hashing, "_scrypt", cheap)
    return asked


def test_a_verified_secret_is_not_hashed_again(slow: list[str]) -> None:
    verifier, stored = Verifier(), hash_weak("right")
    assert not verifier.verify_fast("right", stored)
    assert not verifier.verify("wrong", stored)
    assert verifier.verify("right", stored)
    slow.clear()
    assert verifier.verify("right", stored)
    assert verifier.verify_fast("right", stored)
    assert not verifier.verify_fast("wrong", stored)
    assert slow == []
    assert not verifier.verify("wrong", stored)
    assert slow == ["wrong"]


def test_a_strong_secret_needs_no_slow_hash(slow: list[str]) -> None:
    verifier, stored = Verifier(), hash_strong("right")
    for verify in (verifier.verify, verifier.verify_fast):
        assert verify("right", stored)
        assert not verify("wrong", stored)
    assert slow == []


def test_the_cache_keeps_the_proofs_used_last(slow: list[str]) -> None:
    verifier, stored = Verifier(cache_size=2), {name: hash_weak(name) for name in "abc"}
    for name in "aba":
        assert verifier.verify(name, stored[name])
    assert all(verifier.verify_fast(name, stored[name]) for name in "ba")  # now b was used longest ago
    assert verifier.verify("c", stored["c"])
    assert [name for name in "abc" if verifier.verify_fast(name, stored[name])] == ["a", "c"]


@pytest.mark.parametrize(("strong", "weak"), [(True, False), (False, True), (True, True), (False, False)])
def test_refusals_hash_what_a_verification_would(
    monkeypatch: pytest.MonkeyPatch, slow: list[str], strong: bool, weak: bool
) -> None:
    fast: list[str] = []

    def counted(secret: str, salt: bytes) -> bytes:
        assert salt == bytes(16)
        fast.append(secret)
        return b"x" * 32

    monkeypatch.setattr(hashing, "_sha256", counted)
    Verifier().spend("secret", strong=strong, weak=weak)
    assert fast == (["secret"] if strong else [])
    assert slow == (["secret"] if weak else [])
