"""Hashes of secrets.

There are two schemes; the stored text names its scheme:

- `sha256`: for secrets of this service. They are 256 random bits, so no dictionary helps: to find one from its hash
  takes 2^255 guesses at any speed. A slow hash would add no security, and every client that can send requests could
  use it to waste CPU time.
- `scrypt`: for imported secrets, which may be short or guessable. A guess takes 16 MiB and some 50 ms (N = 2^14, r = 8,
  p = 1, the parameters of RFC 7914 for interactive use). To pay that once and not for each request, the verifier keeps
  proofs in memory: keyed digests of stored hash and secret, with a key that lives as long as the process. The cache
  holds neither hash nor secret, and a changed hash makes its proof worthless.

Both schemes use a salt, so equal secrets have different hashes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from typing import Final

_SALT_BYTES: Final = 16
_SCRYPT_N: Final = 2**14
_SCRYPT_R: Final = 8
_SCRYPT_P: Final = 1
_CACHE_SIZE: Final = 4096
# 16 MiB each: a flood of wrong secrets must not take the memory or all cores.
CONCURRENT_SCRYPT: Final = 2

SLOW_PREFIX: Final = "scrypt$"
# Hashes without a known secret; to find one takes 2^256 guesses.
_DECOY_STRONG: Final = f"sha256${'00' * _SALT_BYTES}${'00' * 32}"
_DECOY_WEAK: Final = f"{SLOW_PREFIX}{_SCRYPT_N}${_SCRYPT_R}${_SCRYPT_P}${'00' * _SALT_BYTES}${'00' * 32}"


def new_secret() -> str:
    """A fresh secret: 256 random bits, 64 hexadecimal digits."""
    return secrets.token_hex(32)


def hash_strong(secret: str) -> str:
    """Hash a secret of `new_secret`."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"sha256${salt.hex()}${_sha256(secret, salt).hex()}"


def hash_weak(secret: str) -> str:
    """Hash a secret whose strength is unknown."""
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = _scrypt(secret, salt, _SCRYPT_N, _SCRYPT_R, _SCRYPT_P)
    return f"{SLOW_PREFIX}{_SCRYPT_N}${_SCRYPT_R}${_SCRYPT_P}${salt.hex()}${digest.hex()}"


class Verifier:
    """Compares secrets with stored hashes. Thread-safe; one per process."""

    def __init__(self, cache_size: int = _CACHE_SIZE) -> None:
        self._cache_size = cache_size
        self._cache_key = secrets.token_bytes(32)
        self._proofs: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(CONCURRENT_SCRYPT)

    def verify(self, secret: str, stored: str) -> bool:
        """Whether `stored` is the hash of `secret`; compared in constant time."""
        if not stored.startswith(SLOW_PREFIX):
            _, salt, digest = stored.split("$")
            return hmac.compare_digest(_sha256(secret, bytes.fromhex(salt)), bytes.fromhex(digest))
        proof = self._proof(secret, stored)
        if self._known(proof):
            return True
        _, n, r, p, salt, digest = stored.split("$")
        with self._slots:
            computed = _scrypt(secret, bytes.fromhex(salt), int(n), int(r), int(p))
        matches = hmac.compare_digest(computed, bytes.fromhex(digest))
        if matches:
            self._remember(proof)
        return matches

    def verify_fast(self, secret: str, stored: str) -> bool:
        """Like `verify`, but False if only slow hashing could decide."""
        if stored.startswith(SLOW_PREFIX):
            return self._known(self._proof(secret, stored))
        return self.verify(secret, stored)

    def spend(self, secret: str, *, strong: bool, weak: bool) -> None:
        """Do the work of a failing verification, so that all refusals take the same time."""
        if strong:
            self.verify(secret, _DECOY_STRONG)
        if weak:
            self.verify(secret, _DECOY_WEAK)

    def _proof(self, secret: str, stored: str) -> bytes:
        return hmac.digest(self._cache_key, f"{stored}\0{secret}".encode(), "sha256")

    def _known(self, proof: bytes) -> bool:
        with self._lock:
            if proof not in self._proofs:
                return False
            self._proofs.move_to_end(proof)
            return True

    def _remember(self, proof: bytes) -> None:
        with self._lock:
            self._proofs[proof] = None
            while len(self._proofs) > self._cache_size:
                self._proofs.popitem(last=False)


def _sha256(secret: str, salt: bytes) -> bytes:
    return hashlib.sha256(salt + secret.encode()).digest()


def _scrypt(secret: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=n, r=r, p=p, maxmem=64 * 1024 * 1024, dklen=32)
