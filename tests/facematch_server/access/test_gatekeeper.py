"""Admission."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest

from facematch_local.codes import ErrorCode
from facematch_server.access import logins, reservations
from facematch_server.access.gatekeeper import Gatekeeper
from facematch_server.errors import ContractError
from facematch_server.store import UnavailableError, Why
from facematch_server.store.records import Admitted
from tests.facematch_server.access.fake_store import FakeKey, FakeReservation, FakeStore, basic


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
    assert store.calls == ["look_up", "allow", "reserve 50", "commit"]


@pytest.mark.parametrize("error", [None, ContractError(ErrorCode.BAD_IMAGE), RuntimeError("bug")])
def test_anything_else_is_given_back(error: Exception | None) -> None:
    store = FakeStore()
    if error is None:
        admit(store)
    else:
        with pytest.raises(type(error)):
            admit(store, error=error)
    assert store.calls == ["look_up", "allow", "reserve 50", "release"]


@pytest.mark.parametrize(
    ("store", "code", "status", "calls"),
    [
        (FakeStore(known=False), ErrorCode.BAD_CREDENTIALS, 401, ["look_up"]),
        (FakeStore(wait=2.5), ErrorCode.OUT_OF_REQUESTS, 429, ["look_up", "allow"]),
        (FakeStore(left=False), ErrorCode.OUT_OF_REQUESTS, 200, ["look_up", "allow", "reserve 50"]),
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


class KnowingStore(FakeStore):
    """Knows the login; `admit` answers as told."""

    def __init__(self, admitted: Any, **options: Any) -> None:
        super().__init__(**options)
        self.admitted = admitted

    def recall(self, api_key: str, api_secret: str) -> Any:
        assert (api_key, api_secret) == ("k", "s")
        return FakeKnown(FakeKey())

    def admit(self, known: Any, ttl_seconds: float, until: float | None = None) -> Any:
        self.calls.append(f"admit {ttl_seconds:g}")
        return self.admitted


@dataclass(frozen=True)
class FakeKnown:
    """The result of `recall`."""

    key: Any


def test_a_known_login_takes_one_call() -> None:
    store = KnowingStore(Admitted(FakeKey(), FakeReservation()))  # type: ignore[arg-type]
    admit(store, commit=True)
    assert store.calls == ["allow", "admit 50", "commit"]


def test_a_known_login_without_quota_left_is_refused() -> None:
    store = KnowingStore(Admitted(FakeKey(), None))  # type: ignore[arg-type]
    with pytest.raises(ContractError) as caught:
        admit(store)
    assert caught.value.code is ErrorCode.OUT_OF_REQUESTS
    assert store.calls == ["allow", "admit 50"]


def test_a_known_login_that_no_longer_holds_is_looked_up_and_takes_one_token_only() -> None:
    store = KnowingStore(None)
    admit(store, commit=True)
    assert store.calls == ["allow", "admit 50", "look_up", "reserve 50", "commit"]
    refused = KnowingStore(None, known=False)
    with pytest.raises(ContractError) as caught:
        admit(refused)
    assert caught.value.code is ErrorCode.BAD_CREDENTIALS


def test_a_known_login_beyond_its_rate_is_looked_up_first() -> None:
    """A disabled key hears that it is refused, not that it is too fast."""
    store = KnowingStore(Admitted(FakeKey(), FakeReservation()), wait=2.5, known=False)  # type: ignore[arg-type]
    with pytest.raises(ContractError) as caught:
        admit(store)
    assert caught.value.code is ErrorCode.BAD_CREDENTIALS
    assert store.calls == ["allow", "look_up"]


@pytest.mark.parametrize(("quota", "in_thread"), [(None, False), (10, True)])
def test_only_a_key_with_a_quota_needs_a_thread_for_its_reservation(quota: int | None, in_thread: bool) -> None:
    """Without a quota the store has nothing to ask its database."""
    elsewhere: dict[str, bool] = {}

    class Store(FakeStore):
        def reserve(self, *arguments: Any) -> Any:
            elsewhere["reserve"] = threading.current_thread() is not threading.main_thread()
            return super().reserve(*arguments)

        def release(self, *arguments: Any) -> None:
            elsewhere["release"] = threading.current_thread() is not threading.main_thread()
            super().release(*arguments)

    store = Store(quota=quota)
    admit(store)
    assert elsewhere == {"reserve": in_thread, "release": in_thread}
    assert store.calls == ["look_up", "allow", "reserve 50", "release"]


@pytest.mark.parametrize("stage", ["look_up", "reserve", "commit"])
def test_a_store_that_hangs_is_given_up(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (logins, reservations):
        monkeypatch.setattr(module, "GRACE_SECONDS", 0.02)
    store = FakeStore()
    gate = threading.Event()

    def hang(*_: Any) -> Any:
        gate.wait(20)
        return object()

    setattr(store, stage, hang)

    async def scenario() -> None:
        gatekeeper = Gatekeeper(store, ttl_seconds=50, database_seconds=0.02)
        try:
            for _ in range(12):  # more than there are threads
                begun = time.monotonic()
                with pytest.raises(UnavailableError):
                    async with gatekeeper.admit(basic("k:s")) as admission:
                        await admission.commit()
                assert time.monotonic() - begun < 5
            gate.set()
            if stage == "reserve":  # a reservation without a waiting request is given back
                while store.calls.count("release") < 4:
                    await asyncio.sleep(0.01)
        finally:
            gate.set()
            gatekeeper.close()

    asyncio.run(scenario())


def test_a_release_that_fails_changes_no_outcome() -> None:
    store = FakeStore()

    def fail(*_: Any) -> None:
        raise UnavailableError("gone", Why.GONE)

    store.release = fail  # type: ignore[method-assign]
    with pytest.raises(ContractError) as caught:
        admit(store, error=ContractError(ErrorCode.BAD_IMAGE))
    assert caught.value.code is ErrorCode.BAD_IMAGE


def test_a_request_past_its_deadline_is_not_counted_for_long() -> None:
    """The deadline holds for the commit too; the place is given back all the same where there was no commit."""
    store = FakeStore()
    untils: list[float] = []
    store.commit = lambda reservation, until=None: untils.append(until) or True  # type: ignore[assignment]
    deadline = time.monotonic() + 0.5

    async def scenario() -> None:
        gatekeeper = Gatekeeper(store, ttl_seconds=50, database_seconds=60)
        async with gatekeeper.admit(basic("k:s"), deadline=deadline) as admission:
            await admission.commit()
        async with gatekeeper.admit(basic("k:s"), deadline=deadline):
            await asyncio.sleep(0.6)
        gatekeeper.close()

    asyncio.run(scenario())
    assert untils == [deadline]
    assert store.calls[-1] == "release"


def test_refusals_of_credentials_take_one_fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time does not depend on the store or the key."""
    refusal = 0.2
    monkeypatch.setattr("facematch_server.access.logins.REFUSAL_SECONDS", refusal)
    taken = []
    for seconds in (0.0, refusal / 2):

        class Store(FakeStore):
            def look_up(self, api_key: str, api_secret: str, until: float | None = None, pause: float = seconds) -> Any:
                time.sleep(pause)
                return super().look_up(api_key, api_secret, until)

        begun = time.monotonic()
        with pytest.raises(ContractError):
            admit(Store(known=False))
        taken.append(time.monotonic() - begun)
    assert min(taken) >= refusal


def test_admitted_requests_do_not_wait_as_refusals_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facematch_server.access.logins.REFUSAL_SECONDS", 60.0)
    begun = time.monotonic()
    admit(FakeStore())
    assert time.monotonic() - begun < 30
