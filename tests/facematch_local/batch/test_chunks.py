"""Which rows a run works off, as chunks."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from facematch_local.batch.chunks import Chunk, Selection


def numbers(chunks: list[Chunk]) -> dict[int, list[int]]:
    return {chunk.number: [pair.number for pair in chunk.pairs] for chunk in chunks}


def test_chunks_keep_their_numbers(write_list: Callable[..., Path]) -> None:
    pairs = write_list(11)
    assert numbers(list(Selection(pairs, 4, 11).chunks())) == {0: [1, 2, 3, 4], 1: [5, 6, 7, 8], 2: [9, 10, 11]}
    chosen = Selection(pairs, 2, 5, frozenset({2, 3, 5, 7, 11}), finished=frozenset({1}))
    assert numbers(list(chosen.chunks())) == {0: [2, 3], 2: [11]}


@pytest.mark.parametrize("chunks", [1, 2, 3, 4, 100])
def test_segments_are_the_whole(write_list: Callable[..., Path], chunks: int) -> None:
    whole = Selection(write_list(31), 4, 31, finished=frozenset({2, 7}))
    parts = [list(segment.chunks()) for segment in whole.segments(chunks)]
    assert all(len(part) <= chunks for part in parts)
    assert [chunk for part in parts for chunk in part] == list(whole.chunks())
    assert list(Selection(whole.pairs, 4, 0).segments(chunks)) == []


def test_another_process_reads_the_same_rows(write_list: Callable[..., Path]) -> None:
    selection = Selection(write_list(9), 4, 9)
    assert list(pickle.loads(pickle.dumps(selection)).chunks()) == list(selection.chunks())  # noqa: S301
