"""Histogram and tail against all scores kept."""

from __future__ import annotations

import numpy as np
import pytest

from facematch_local.evaluation.verification.scores import Collector, Kind


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(1).normal(0.1, 0.2, 50_000).clip(-1, 1).astype(np.float32)


@pytest.mark.parametrize("kind", list(Kind))
def test_errors_are_exact_in_the_tail_and_near_beyond_it(kind: Kind, values: np.ndarray) -> None:
    collector = Collector(kind, tail=5_000)
    numbers = np.arange(len(values), dtype=np.int32)
    for part in np.array_split(numbers, 37):
        collector.add(values[part], part, part + 1)
    scores = collector.finish()
    assert scores.count == len(values)
    assert 4_900 <= len(scores.tail) <= 5_000
    for threshold in np.linspace(-0.6, 0.9, 61):
        wrong = values < np.float32(threshold) if kind is Kind.MATED else values >= np.float32(threshold)
        if scores.covers(threshold):
            assert scores.errors(threshold) == wrong.sum()
        else:
            # One bin holds at most about 25 of these.
            assert abs(scores.errors(threshold) - wrong.sum()) < 60
    hardest = next(scores.hardest(1))
    expected = values.argmin() if kind is Kind.MATED else values.argmax()
    assert hardest == (pytest.approx(values[expected]), expected, expected + 1)


def test_the_tail_never_cuts_through_equal_scores() -> None:
    collector = Collector(Kind.NON_MATED, tail=10)
    scores = np.repeat(np.float32([0.1, 0.5, 0.9]), [50, 8, 5])
    for _ in range(3):
        collector.add(scores, np.zeros(len(scores), np.int32), np.zeros(len(scores), np.int32))
    result = collector.finish()
    assert result.count == 3 * 63
    assert len(result.tail) == 0 or result.tail.min() > np.float32(0.5)
    assert result.errors(0.9) == 15


def test_memory_stays_bounded_however_many_scores_come() -> None:
    collector = Collector(Kind.NON_MATED, tail=1_000)
    generator = np.random.default_rng(0)
    for _ in range(50):
        block = generator.uniform(-1, 1, 10_000).astype(np.float32)
        collector.add(block, np.zeros(10_000, np.int32), np.zeros(10_000, np.int32))
        assert sum(len(part[0]) for part in collector._blocks) <= 12_000
    assert collector.finish().count == 500_000


def test_quantile_and_empty() -> None:
    collector = Collector(Kind.MATED)
    assert np.isnan(collector.finish().quantile(0.5))
    collector.add(np.linspace(0, 1, 1001, dtype=np.float32), np.zeros(1001, np.int32), np.zeros(1001, np.int32))
    assert collector.finish().quantile(0.5) == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_matrix_gives_what_its_scores_give_one_by_one(kind: Kind) -> None:
    generator = np.random.default_rng(4)
    at_once, one_by_one = Collector(kind, tail=200), Collector(kind, tail=200)
    columns = np.arange(1000, 1080, dtype=np.int32)
    for start in range(0, 600, 60):
        rows = np.arange(start, start + 60, dtype=np.int32)
        scores = generator.normal(0, 0.3, (60, 80)).clip(-1, 1).astype(np.float32)
        chosen = generator.random((60, 80)) < 0.4
        at_once.add_matrix(scores, chosen, rows, columns)
        at_row, at_column = np.nonzero(chosen)
        one_by_one.add(scores[at_row, at_column], rows[at_row], columns[at_column])
    left, right = at_once.finish(), one_by_one.finish()
    assert (left.histogram == right.histogram).all()
    assert 0 < len(left.tail) <= 200
    for name in ("tail", "first", "second"):
        assert (getattr(left, name) == getattr(right, name)).all()
