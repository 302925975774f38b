"""A synthetic population whose true error rates are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.evaluation.verification.dataset import Dataset
from facematch_local.evaluation.verification.embed import Embeddings


@dataclass(frozen=True, eq=False)
class Population:
    """Embeddings of synthetic people."""

    dataset: Dataset
    embeddings: Embeddings


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="session")
def population() -> Callable[..., Population]:
    """`population({"": 200, "alike": 30}, photos=4)`: people by group; those of a named group look more alike."""

    def make(
        people: dict[str, int], photos: int = 4, seed: int = 0, alike: float = 0.9, noise: float = 0.8
    ) -> Population:
        generator = np.random.default_rng(seed)
        rows: list[NDArray[np.float64]] = []
        subjects: list[int] = []
        groups: list[str] = []
        for group, count in people.items():
            # What the members of a group share does not depend on the seed: other people, same group.
            shared = np.random.default_rng(len(group)).normal(size=64) * (alike if group else 0.0)
            for _ in range(count):
                centre = generator.normal(size=64) + shared
                rows += [centre + noise * generator.normal(size=64) for _ in range(photos)]
                subjects += [len(set(subjects))] * photos
                groups += [group] * photos
        size = len(rows)
        dataset = Dataset("synthetic", [Path(f"{n}.jpg") for n in range(size)], np.array(subjects, np.int32), groups)
        embeddings = Embeddings(
            matrix=_unit(np.array(rows)),
            usable=np.ones(size, bool),
            unreadable=np.zeros(size, bool),
            content=np.arange(size, dtype=np.int32),
            reasons=[""] * size,
        )
        return Population(dataset, embeddings)

    return make
