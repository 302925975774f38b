"""Credentials and admission."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

import pytest
from facematch_server.auth import REFUSAL_SECONDS, Credentials, Gatekeeper, parse_basic
from facematch_server.errors import ContractError
from hypothesis import given
from hypothesis import strategies as st

from facematch_local.codes import ErrorCode


def basic(pair: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize(
    ("header", "credentials"),
    [
        (basic("key:secret"), Credentials("key", "secret")),
        (basic("key:with:colons:"), Credentials("key", "with:colons:")),
        (basic("khóa:bí mật"), Credentials("khóa", "bí mật")),
        (basic("key:secret", "bAsIc "), Credentials("key", "secret")),
        ("  " + basic("key:secret") + "  ", Credentials("key", "secret")),
        (None, None),
        ("", None),
        (basic("key:secret", "Bearer"), None),
        (basic("no colon"), None),
        (basic(":secret"), None),
        (basic("key:"), None),
        ("Basic a2V5OnNlY3JldA", Credentials("key", "secret")),  # encoders that leave the padding out
        ("Basic a2V5OnNl Y3JldA==", Credentials("key", "secret")),  # a folded line
        ("Basic a2V5OnNl\t  Y3JldA", Credentials("key", "secret")),
        ("Basic a2V5OnNl*Y3JldA==", None),
        ("Basic " + base64.b64encode(b"\xff:\xff").decode(), None),
    ],
)
def test_parse_basic(header: str | None, credentials: Credentials | None) -> None:
    assert parse_basic(header) == credentials


@given(st.text(max_size=80))
def test_any_header_parses(header: str) -> None:
    parse_basic(header)


def test_credentials_are_not_printed() -> None:
    assert "secret" not in repr(Credentials("key", "secret"))


class FakeStore:
    """Notes the calls; lets each answer be chosen."""

    def __init__(self, *, known: bool = True, wait: float = 0.0, left: bool = True, counted: bool = True) -> None:
        self.calls: list[str] = []
        self._known, self._wait, self._left, self._counted = known, wait, left, counted

    def authenticate(self, api_key: str, api_secret: str) -> Any:
        self.calls.append("authenticate")
        return object() if self._known else None

    def allow(self, key: Any) -> float:
        self.calls.append("allow")
        return self._wait

    def reserve(self, key: Any, ttl_seconds: float) -> Any:
        self.calls.append(f"reserve {ttl_seconds:g}")
        return object() if self._left else None

    def commit(self, reservation: Any) -> bool:
        self.calls.append("commit")
        return self._counted

    def release(self, reservation: Any) -> None:
        self.calls.append("release")

    def ping(self) -> None:
        pass


def admit(store: FakeStore, *, commit: bool = False, error: Exception | None = None) -> None:
    async def scenario() -> None:
        async with Gatekeeper(store, ttl_seconds=50, failure_status=401).admit(basic("k:s")) as admission:
            if commit:
                await admission.commit()
            if error:
                raise error

    asyncio.run(scenario())


def test_a_success_is_counted_once() -> None:
    store = FakeStore()
    admit(store, commit=True)
    assert store.calls == ["authenticate", "allow", "reserve 50", "commit"]


@pytest.mark.parametrize("error", [None, ContractError(ErrorCode.BAD_IMAGE), RuntimeError("bug")])
def test_anything_else_is_given_back(error: Exception | None) -> None:
    store = FakeStore()
    if error is None:
        admit(store)
    else:
        with pytest.raises(type(error)):
            admit(store, error=error)
    assert store.calls == ["authenticate", "allow", "reserve 50", "release"]


@pytest.mark.parametrize(
    ("store", "code", "status", "calls"),
    [
        (FakeStore(known=False), ErrorCode.BAD_CREDENTIALS, 401, ["authenticate"]),
        (FakeStore(wait=2.5), ErrorCode.OUT_OF_REQUESTS, 429, ["authenticate", "allow"]),
        (FakeStore(left=False), ErrorCode.OUT_OF_REQUESTS, 200, ["authenticate", "allow", "reserve 50"]),
    ],
)
def test_refusals(store: FakeStore, code: ErrorCode, status: int, calls: list[str]) -> None:
    with pytest.raises(ContractError) as caught:
        admit(store)
    assert (caught.value.code, caught.value.status) == (code, status)
    assert store.calls == calls


def test_an_expired_reservation_is_no_success() -> None:
    store = FakeStore(counted=False)
    with pytest.raises(ContractError) as caught:
        admit(store, commit=True)
    assert caught.value.code is ErrorCode.OUT_OF_REQUESTS
    assert store.calls[-1] == "commit"


def test_refusals_of_credentials_take_one_fixed_time() -> None:
    """However fast or slow the store is with this key or that; those who may come in do not wait."""
    taken = []
    for seconds in (0.0, REFUSAL_SECONDS / 2):

        class Store(FakeStore):
            def authenticate(self, api_key: str, api_secret: str, seconds: float = seconds) -> Any:
                time.sleep(seconds)
                return super().authenticate(api_key, api_secret)

        begun = time.monotonic()
        with pytest.raises(ContractError):
            admit(Store(known=False))
        taken.append(time.monotonic() - begun)
    assert min(taken) >= REFUSAL_SECONDS
