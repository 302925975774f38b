"""Outcomes in any order become whole chunks, each once."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from facematch_local.batch.cluster.collecting import Collector
from facematch_local.batch.cluster.tasks import Done
from facematch_local.batch.engine import FailedRowError
from facematch_local.batch.rows import Fault, Outcome, RowError


def outcome(chunk: int, place: int) -> Outcome:
    return Outcome(f"{chunk}-{place}", "a", "b", "card", 50.0, "unsure")


def done(chunk: int, start: int, rows: int, size: int) -> Done:
    return Done(chunk, start, size, tuple(outcome(chunk, place) for place in range(start, start + rows)))


class Saving:
    """Remembers what was saved and shown."""

    def __init__(self) -> None:
        self.chunks: dict[int, Sequence[Outcome]] = {}
        self.shown: list[str] = []

    def save(self, chunk: int, outcomes: Sequence[Outcome]) -> None:
        assert chunk not in self.chunks, "a chunk was saved twice"
        self.chunks[chunk] = outcomes

    def advance(self, outcome: Outcome) -> None:
        self.shown.append(outcome.id)


@pytest.mark.parametrize("seed", range(5))
def test_any_order_with_repeats_gives_each_chunk_once_and_in_order(seed: int) -> None:
    sizes = {0: 20, 1: 20, 5: 3}
    tasks = [
        done(chunk, start, min(8, size - start), size) for chunk, size in sizes.items() for start in range(0, size, 8)
    ]
    generator = random.Random(seed)  # noqa: S311
    arriving = tasks + generator.choices(tasks, k=6)
    generator.shuffle(arriving)
    saving = Saving()
    collector = Collector(saving.save, saving.advance)
    for one in arriving:
        collector.add(one)
    assert {chunk: [one.id for one in rows] for chunk, rows in saving.chunks.items()} == {
        chunk: [f"{chunk}-{place}" for place in range(size)] for chunk, size in sizes.items()
    }
    assert sorted(saving.shown) == sorted(f"{chunk}-{place}" for chunk, size in sizes.items() for place in range(size))
    assert collector.incomplete == 0


def test_a_chunk_with_a_row_missing_is_not_saved() -> None:
    saving = Saving()
    collector = Collector(saving.save, saving.advance)
    collector.add(done(0, 0, 8, 16))
    collector.add(done(0, 8, 7, 16))
    assert not saving.chunks
    assert collector.incomplete == 1


def test_fail_fast() -> None:
    saving = Saving()
    bad = Outcome("7", "a", "b", "card", fault=Fault(RowError.EMPTY, "the photo is empty"))
    collector = Collector(saving.save, saving.advance, fail_fast=True)
    with pytest.raises(FailedRowError) as raised:
        collector.add(Done(0, 0, 2, (outcome(0, 0), bad)))
    assert raised.value.outcome == bad
    assert not saving.chunks
    Collector(saving.save, saving.advance).add(Done(0, 0, 1, (bad,)))
    assert saving.chunks == {0: [bad]}
