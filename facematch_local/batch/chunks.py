"""The rows of a run, in chunks that become parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from facematch_local.batch.reading import read_pairs
from facematch_local.batch.rows import Pair


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that become one part.

    Attributes:
        number: from 0.
        pairs: rows, in the order of the list.
    """

    number: int
    pairs: Sequence[Pair]


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows that a run has to work off; small enough to be sent to another process, which then reads the list.

    Attributes:
        pairs: the list.
        chunk: rows of a chunk; the last chunk may be shorter.
        rows: number of rows of the run, finished ones included.
        chosen: numbers of these rows, None for all of the list.
        finished: numbers of the chunks to leave out.
        start: number of the first chunk.
        stop: number of the chunk after the last one; None for the end of the run.
    """

    pairs: Path
    chunk: int
    rows: int
    chosen: frozenset[int] | None = None
    finished: frozenset[int] = frozenset()
    start: int = 0
    stop: int | None = None

    def chunks(self) -> Iterator[Chunk]:
        """Read the list as far as chunks are asked for; the same list gives the same chunks every time.

        Raises:
            FacematchError: the list cannot be read.
        """
        rows = (pair for pair in read_pairs(self.pairs) if self.chosen is None or pair.number in self.chosen)
        chunks = islice(in_chunks(rows, self.chunk), self.start, self.stop)
        return (chunk for chunk in chunks if chunk.number not in self.finished)

    def segments(self, chunks: int) -> Iterator[Selection]:
        """The same rows in selections of at most `chunks` chunks each."""
        for start in range(0, -(-self.rows // self.chunk), chunks):
            yield replace(self, start=start, stop=start + chunks)


def in_chunks(pairs: Iterable[Pair], size: int) -> Iterator[Chunk]:
    """Cut rows into chunks; the last one may be shorter."""
    rows, number = iter(pairs), 0
    while chunk := tuple(islice(rows, size)):
        yield Chunk(number, chunk)
        number += 1
