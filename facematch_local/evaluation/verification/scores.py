"""Comparison scores of one kind (mated or non-mated), in bounded memory.

Every score enters a histogram. The hardest scores (the highest non-mated, the lowest mated) are also kept with their
photos. Sixty million comparisons then take a few megabytes, and the thresholds in the relevant region, the bootstrap
over subjects and the worst errors still come from exact scores.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

BINS = 20_000
"""Histogram bins over the cosine range -1 to 1; the width of one, 1e-4, is the resolution outside the tail."""

DEFAULT_TAIL = 1_000_000

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int32]


class Kind(Enum):
    """The kind of comparison, which decides the hard scores: low ones if mated, high ones if not."""

    MATED = "mated"
    NON_MATED = "non-mated"


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of one kind.

    Attributes:
        kind: mated or non-mated.
        histogram: (BINS,) int64, counts over cosine -1 to 1.
        tail: (T,) float32, ascending: the T hardest scores.
        first, second: (T,) int32: the photos that gave each score of the tail.
    """

    kind: Kind
    histogram: NDArray[np.int64]
    tail: FloatArray
    first: IntArray
    second: IntArray

    @property
    def count(self) -> int:
        """Number of comparisons."""
        return int(self.histogram.sum())

    @property
    def complete(self) -> bool:
        """Whether the tail contains every score."""
        return len(self.tail) == self.count

    def covers(self, threshold: float) -> bool:
        """Whether the tail contains all scores on the wrong side of `threshold`."""
        if self.complete:
            return True
        if self.kind is Kind.NON_MATED:
            return bool(len(self.tail) and threshold > self.tail[0])
        return bool(len(self.tail) and threshold <= self.tail[-1])

    def errors(self, threshold: float) -> int:
        """Number of wrong decisions if a score at or above `threshold` is a match.

        Exact where `covers(threshold)`, else to the width of one bin.
        """
        if self.covers(threshold):
            below = int(np.searchsorted(self.tail, np.float32(threshold), side="left"))
            return below if self.kind is Kind.MATED else len(self.tail) - below
        edge = bin_of(np.array([threshold], np.float32))[0]
        below = int(self.histogram[:edge].sum())
        return below if self.kind is Kind.MATED else self.count - below

    def error_rate(self, threshold: float) -> float:
        """FNMR (mated) or FMR (non-mated) at `threshold`; NaN without comparisons."""
        return self.errors(threshold) / self.count if self.count else float("nan")

    def hardest(self, number: int) -> Iterator[tuple[float, int, int]]:
        """The `number` hardest comparisons, worst first: score, photo, photo."""
        order = range(len(self.tail)) if self.kind is Kind.MATED else range(len(self.tail) - 1, -1, -1)
        for at in order[:number]:
            yield float(self.tail[at]), int(self.first[at]), int(self.second[at])

    def quantile(self, share: float) -> float:
        """Quantile of the scores, to the width of one bin; NaN without comparisons."""
        if not self.count:
            return float("nan")
        at = int(np.searchsorted(np.cumsum(self.histogram), share * self.count, side="left"))
        return float(bin_edges()[min(at, BINS - 1)])


class Collector:
    """Collects `Scores` from blocks of scores."""

    def __init__(self, kind: Kind, tail: int = DEFAULT_TAIL) -> None:
        """Collector without scores.

        Args:
            kind: mated or non-mated.
            tail: number of the hardest scores to keep.
        """
        self._kind = kind
        self._limit = tail
        self._histogram = np.zeros(BINS, np.int64)
        self._blocks: list[tuple[FloatArray, IntArray, IntArray]] = []
        self._held = 0
        # Only scores beyond this hardness still belong to the tail.
        self._floor = -np.inf

    def add(self, scores: FloatArray, first: IntArray, second: IntArray) -> None:
        """Add scores (N,) float32 with their photos (N,) int32."""
        if not len(scores):
            return
        self._histogram += np.bincount(bin_of(scores), minlength=BINS)
        hardness = scores if self._kind is Kind.NON_MATED else -scores
        if np.isfinite(self._floor):
            hard = hardness > self._floor
            scores, first, second = scores[hard], first[hard], second[hard]
        self._keep(scores, first, second)

    def _keep(self, scores: FloatArray, first: IntArray, second: IntArray) -> None:
        self._blocks.append((scores, first, second))
        self._held += len(scores)
        if self._held > 2 * self._limit:
            self._shrink()

    def add_matrix(self, scores: FloatArray, chosen: NDArray[np.bool_], rows: IntArray, columns: IntArray) -> None:
        """Add the `chosen` scores of a matrix (R, C) float32 between the photos `rows` (R,) and `columns` (C,).

        Positions are computed only for the few scores that may enter the tail.
        """
        if not chosen.any():
            return
        self._histogram += np.bincount(bin_of(scores[chosen]), minlength=BINS)
        if np.isfinite(self._floor):
            chosen = chosen & (scores > self._floor if self._kind is Kind.NON_MATED else scores < -self._floor)
        at_row, at_column = np.nonzero(chosen)
        self._keep(scores[at_row, at_column], rows[at_row], columns[at_column])

    def finish(self) -> Scores:
        """The scores added so far."""
        self._shrink()
        scores, first, second = self._blocks[0]
        order = np.argsort(scores, kind="stable")
        return Scores(self._kind, self._histogram.copy(), scores[order], first[order], second[order])

    def _shrink(self) -> None:
        scores = np.concatenate([np.empty(0, np.float32), *(block[0] for block in self._blocks)])
        first = np.concatenate([np.empty(0, np.int32), *(block[1] for block in self._blocks)])
        second = np.concatenate([np.empty(0, np.int32), *(block[2] for block in self._blocks)])
        if len(scores) > self._limit:
            hardness = scores if self._kind is Kind.NON_MATED else -scores
            # Strictly beyond the floor: scores equal to the floor are dropped together, so that the tail is always all
            # scores beyond a value and not an arbitrary choice among equal ones.
            self._floor = float(np.partition(hardness, len(hardness) - self._limit - 1)[-self._limit - 1])
            hard = hardness > self._floor
            scores, first, second = scores[hard], first[hard], second[hard]
        self._blocks = [(scores, first, second)]
        self._held = len(scores)


def bin_of(scores: FloatArray) -> NDArray[np.int64]:
    """Histogram bin of each cosine; values beyond -1 and 1 (rounding) go to the outermost bins."""
    bins: NDArray[np.int64] = np.clip((scores + np.float32(1)) * np.float32(BINS / 2), 0, BINS - 1).astype(np.int64)
    return bins


def bin_edges() -> NDArray[np.float64]:
    """Lower edge of every bin, (BINS,) float64."""
    return np.linspace(-1.0, 1.0, BINS + 1)[:-1]
