"""Each photo is fetched and examined once, in bounded memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from facematch_local.batch.examinations import Examinations
from facematch_local.batch.examining import Examined
from facematch_local.batch.fetching import FetchError
from facematch_local.batch.rows import Fault, RowError
from facematch_local.checks import Role
from tests.facematch_local.batch.stubs import examined

CARD, PORTRAIT = Role.CARD, Role.PORTRAIT


class Counting:
    """Photos in memory; counts fetches and examinations, and the most that were in work at a time."""

    def __init__(self, photos: Mapping[str, bytes], slots: int = 4, kept: int = 100) -> None:
        self.photos = photos
        self.fetched: Counter[str] = Counter()
        self.examined: Counter[tuple[bytes, Role]] = Counter()
        self.working = self.most = 0
        self.threads = ThreadPoolExecutor(slots)
        self.examinations = Examinations(self.fetch, self.examine, self.threads, slots=slots, kept=kept)

    def fetch(self, path: str) -> bytes:
        self.fetched[path] += 1
        if path not in self.photos:
            raise FetchError(RowError.MISSING_FILE, "absent")
        return self.photos[path]

    async def examine(self, data: bytes, role: Role) -> Examined:
        self.examined[data, role] += 1
        self.working += 1
        self.most = max(self.most, self.working)
        await asyncio.sleep(0.001)
        self.working -= 1
        return examined(data)

    def all_of(self, *wanted: tuple[str, Role]) -> list[Examined | Fault]:
        async def wait() -> list[Examined | Fault]:
            return [await task for task in [self.examinations.of(*one) for one in wanted]]

        with self.threads:
            return asyncio.run(wait())


def test_once_for_each_role_and_content() -> None:
    counting = Counting({"a": b"same", "b": b"same", "c": b"other"})
    results = counting.all_of(*[("a", CARD), ("a", PORTRAIT), ("b", PORTRAIT), ("c", PORTRAIT)] * 20)
    assert counting.fetched == {"a": 2, "b": 1, "c": 1}
    assert counting.examined == {(b"same", CARD): 1, (b"same", PORTRAIT): 1, (b"other", PORTRAIT): 1}
    assert results[1] is results[2]
    assert results[1] is not results[3]


def test_a_fault_is_kept_too() -> None:
    counting = Counting({})
    assert counting.all_of(*[("x", CARD)] * 3) == [Fault(RowError.MISSING_FILE, "absent")] * 3
    assert counting.fetched == {"x": 1}


@pytest.mark.parametrize("slots", [1, 5])
def test_slots_bound_the_photos_in_work(slots: int) -> None:
    counting = Counting({str(n): b"%d" % n for n in range(50)}, slots=slots)
    counting.all_of(*[(str(n), CARD) for n in range(50)])
    assert counting.most == slots


@pytest.mark.parametrize(
    ("order", "fetched", "examined_again"),
    [("abacab", {"a": 1, "b": 2, "c": 1}, b""), ("abca", {"a": 2, "b": 1, "c": 1}, b"a")],
)
def test_the_least_recent_photo_goes_first(order: str, fetched: dict[str, int], examined_again: bytes) -> None:
    counting = Counting({name: name.encode() for name in "abc"}, kept=2)

    async def one_by_one() -> None:
        for name in order:
            await counting.examinations.of(name, CARD)

    with counting.threads:
        asyncio.run(one_by_one())
    assert counting.fetched == fetched
    again = [data for (data, _), count in counting.examined.items() if count > 1]
    assert again == [examined_again] * bool(examined_again)
