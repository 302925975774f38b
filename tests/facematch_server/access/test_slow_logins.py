"""Logins whose secret is hashed slowly: in lanes, once for equal ones, and not for long."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from typing import Any

import pytest

from facematch_server.access.gatekeeper import Gatekeeper
from facematch_server.assembly import hashes_at_once
from facematch_server.errors import ContractError, ServiceError
from facematch_server.matching.cores import Cores
from tests.facematch_server.access.fake_store import FakeKey, FakeLogin, FakeStore, basic


class SlowStore(FakeStore):
    """Logins are slow; the hash waits for a gate. Notes how many were hashed."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.hashed: list[str] = []

    def look_up(self, api_key: str, api_secret: str, until: float | None = None) -> Any:
        return FakeLogin(None, slow=not api_key.startswith("fast"), name=api_key)

    def settle(self, login: Any) -> Any:
        self.gate.wait(20)
        self.hashed.append(login.name)
        return FakeKey() if login.name.startswith("good") else None


def outcomes(store: SlowStore, *logins: tuple[str, str], deadline: float = math.inf, hashing: int = 2) -> list[str]:
    """The results of logins (address, pair) that arrive together, in this order; the gate opens when all wait."""

    async def scenario() -> list[str]:
        gatekeeper = Gatekeeper(store, ttl_seconds=50, hashing=hashing)

        async def log_in(address: str, pair: str) -> str:
            try:
                async with gatekeeper.admit(basic(pair), address, deadline):
                    return "in"
            except ContractError as error:
                return str(int(error.code))
            except ServiceError as error:
                return str(error.status)

        tasks = []
        for login in logins:
            tasks.append(asyncio.create_task(log_in(*login)))
            await asyncio.sleep(0.005)
        store.gate.set() if deadline == math.inf else None
        try:
            return await asyncio.gather(*tasks)
        finally:
            store.gate.set()
            gatekeeper.close()

    return asyncio.run(scenario())


def test_slow_logins_wait_in_lanes_and_not_for_long() -> None:
    """Of ten wrong ones for a key two are hashed and four wait; another key's, and another address's, come next."""
    store = SlowStore()
    wrong = [("1.1.1.1", f"key:wrong-{number}") for number in range(10)]
    answers = outcomes(store, *wrong, ("1.1.1.1", "good-other:s"), ("2.2.2.2", "good-far:s"))
    assert answers == ["5"] * 6 + ["503"] * 4 + ["in", "in"]
    assert {"good-far", "good-other"} <= set(store.hashed[:5])  # two were at work, and end in any order


def test_invented_keys_of_one_address_do_not_keep_another_address_out() -> None:
    store = SlowStore()
    wrong = [("1.1.1.1", f"nobody-{number}:x") for number in range(40)]
    answers = outcomes(store, *wrong, ("2.2.2.2", "good:s"))
    assert answers.count("5") == 2 + 16 - 1  # at work, waiting, and the one that made room
    assert answers.count("503") == 23
    assert answers[-1] == "in"
    assert store.hashed.index("good") <= 3  # two were at work


@pytest.mark.parametrize(("cores", "hashes"), [(1, 1), (2, 1), (3, 1), (4, 2), (64, 2)])
def test_slow_hashing_leaves_half_of_the_cores_to_others(cores: int, hashes: int) -> None:
    assert hashes_at_once(Cores(cores)) == hashes


def test_no_more_hashes_than_told_are_at_work() -> None:
    store = SlowStore()
    wrong = [("1.1.1.1", f"nobody-{number}:x") for number in range(40)]
    answers = outcomes(store, *wrong, hashing=1)
    assert answers.count("5") == 1 + 8  # at work, and waiting
    assert answers.count("503") == 31


def test_equal_logins_at_once_are_hashed_once() -> None:
    store = SlowStore()
    assert outcomes(store, *[("1.1.1.1", "good:s")] * 30, ("1.1.1.1", "good:other")) == ["in"] * 31
    assert store.hashed == ["good", "good"]


def test_a_login_that_is_not_hashed_by_its_deadline_is_answered() -> None:
    answers = outcomes(SlowStore(), ("1.1.1.1", "good:s"), deadline=time.monotonic() + 0.3)
    assert answers == ["503"]


def test_fast_logins_never_wait_for_slow_ones() -> None:
    store = SlowStore()
    assert outcomes(store, *[("1.1.1.1", f"x:{n}") for n in range(9)], ("1.1.1.1", "fast:s"))[-1] == "5"
