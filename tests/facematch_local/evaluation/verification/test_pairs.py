"""Blockwise comparison against all pairs written out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from facematch_local.evaluation.verification import pairs
from facematch_local.evaluation.verification.pairs import Listed, compare_all, compare_listed, in_group, with_parents


@pytest.fixture
def few(population: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(pairs, "ROWS", 7)
    monkeypatch.setattr(pairs, "COLUMNS", 11)
    return population({"": 5, "a/x": 4, "a/y": 3, "b": 2}, photos=3)


def test_all_pairs_in_blocks(few: Any) -> None:
    embeddings, dataset = few.embeddings, few.dataset
    usable = embeddings.usable.copy()
    usable[[2, 20]] = False
    done: list[float] = []
    overall, groups = compare_all(
        embeddings.matrix, dataset.subjects, dataset.groups, usable, embeddings.content, done.append
    )
    assert sorted(groups) == ["a", "a/x", "a/y", "b"]
    for name, comparisons in {"": overall, **groups}.items():
        members = np.flatnonzero(usable & in_group(dataset.groups, name))
        expected: dict[bool, list[float]] = {True: [], False: []}
        for i, j in combinations(members, 2):
            same = bool(dataset.subjects[i] == dataset.subjects[j])
            expected[same].append(float(embeddings.matrix[i] @ embeddings.matrix[j]))
        for same, scores in ((True, comparisons.mated), (False, comparisons.non_mated)):
            assert scores.complete
            np.testing.assert_allclose(scores.tail, sorted(expected[same]), atol=1e-6)
        assert sorted(comparisons.photos) == members.tolist()
    assert done == sorted(done)
    assert done[-1] == 1.0


def test_a_copy_of_a_photo_makes_no_mated_pair(few: Any) -> None:
    content = few.embeddings.content.copy()
    content[1] = content[0]
    overall, _ = compare_all(
        few.embeddings.matrix, few.dataset.subjects, few.dataset.groups, few.embeddings.usable, content
    )
    # One of 42 photos is out: its two mated pairs are gone.
    assert overall.mated.count == 14 * 3 - 2
    assert len(overall.photos) == 41


def test_listed_pairs(few: Any) -> None:
    matrix = few.embeddings.matrix
    listed = Listed(
        np.array([0, 0, 3, 9], np.int32),
        np.array([1, 5, 40, 12], np.int32),
        np.array([True, False, False, True]),
        ["g/h", "g", "", "g"],
    )
    usable = few.embeddings.usable.copy()
    usable[40] = False
    overall, groups = compare_listed(matrix, listed, usable)
    assert (overall.mated.count, overall.non_mated.count) == (2, 1)
    assert {name: (c.mated.count, c.non_mated.count) for name, c in groups.items()} == {"g": (2, 1), "g/h": (1, 0)}
    assert overall.non_mated.tail[0] == pytest.approx(matrix[0] @ matrix[5], abs=1e-6)


def test_groups_nest() -> None:
    assert with_parents("a/b/c") == ["a", "a/b", "a/b/c"]
    assert with_parents("") == []
    assert in_group(["a", "a/b", "ab", ""], "a").tolist() == [True, True, False, False]
    assert in_group(["a", ""], "").all()
