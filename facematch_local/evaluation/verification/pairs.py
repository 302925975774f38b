"""Comparison scores from embeddings: all pairs of photos, or the pairs of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facematch_local.evaluation.verification.scores import DEFAULT_TAIL, Collector, Kind, Scores

ROWS, COLUMNS = 1024, 4096
"""Size of one block of the similarity matrix: 16 MiB of float32 for any number of photos."""

GROUP_TAIL = 300_000


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """Mated and non-mated scores of one population.

    Attributes:
        mated, non_mated: the scores.
        all_pairs: whether these are all pairs of the photos in `photos`; the bootstrap then derives its counts from the
            number of photos of each subject.
        photos: (P,) int32: the compared photos.
    """

    mated: Scores
    non_mated: Scores
    all_pairs: bool
    photos: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """Pairs of a list: photos, label and group ("" for none)."""

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    same: NDArray[np.bool_]
    group: Sequence[str]


def compare_all(
    embeddings: NDArray[np.float32],
    subjects: NDArray[np.int32],
    groups: Sequence[str],
    usable: NDArray[np.bool_],
    same_photo: NDArray[np.int32] | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[Comparisons, Mapping[str, Comparisons]]:
    """Compare every usable photo with every other one.

    Args:
        embeddings: (P, D) float32, rows of length 1.
        subjects: (P,) int32, the person on each photo.
        groups: group of each photo, "" for none.
        usable: (P,) bool, whether the photo has an embedding.
        same_photo: (P,) int32, equal for photos with the same bytes; copies under one person are not compared as mated
            pairs, since their score of 1 does not measure the recogniser. Default: all differ.
        progress: called with the share done, 0 to 1.

    Returns:
        All comparisons, and for each named group those between two photos of that group. Groups nest: a photo of
        group `"a/b"` also belongs to group `"a"`.
    """
    photos = _one_copy_each(subjects, usable, same_photo)
    order = photos[np.lexsort((subjects[photos], np.array([groups[p] for p in photos], dtype=object)))]
    names = sorted({groups[p] for p in photos})
    segments = {name: np.array([p for p in order if groups[p] == name], np.int32) for name in names}
    everyone = {kind: Collector(kind) for kind in Kind}
    all_names = sorted({above for name in names for above in with_parents(name)})
    within = {name: {kind: Collector(kind, GROUP_TAIL) for kind in Kind} for name in all_names}
    total, done = max(len(order) ** 2 / 2, 1), 0.0
    for at, first_name in enumerate(names):
        for second_name in names[at:]:
            common = set(with_parents(first_name)) & set(with_parents(second_name))
            targets = [everyone, *(within[name] for name in common)]
            for share in _compare_segments(
                embeddings, subjects, segments[first_name], segments[second_name], first_name == second_name, targets
            ):
                done += share
                progress(min(done / total, 1.0))
    photos_of = {
        name: np.concatenate([part for inner, part in segments.items() if name in with_parents(inner)])
        for name in all_names
    }
    return _finished(everyone, order), {name: _finished(both, photos_of[name]) for name, both in within.items()}


def _finished(collectors: Mapping[Kind, Collector], photos: NDArray[np.int32]) -> Comparisons:
    return Comparisons(collectors[Kind.MATED].finish(), collectors[Kind.NON_MATED].finish(), True, photos)


def compare_listed(
    embeddings: NDArray[np.float32], listed: Listed, usable: NDArray[np.bool_]
) -> tuple[Comparisons, Mapping[str, Comparisons]]:
    """Compare the pairs of a list; a pair with an unusable photo is left out."""
    both = usable[listed.first] & usable[listed.second]
    scores = pair_scores(embeddings, listed.first, listed.second)
    overall = _listed_comparisons(scores, listed, both)
    names = sorted({above for name in set(listed.group) for above in with_parents(name)})
    return overall, {name: _listed_comparisons(scores, listed, both & in_group(listed.group, name)) for name in names}


def with_parents(group: str) -> list[str]:
    """The group and the groups above it: `"a/b"` gives `["a", "a/b"]`, `""` gives `[]`."""
    parts = group.split("/") if group else []
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]


def in_group(groups: Sequence[str], name: str) -> NDArray[np.bool_]:
    """(N,) bool: whether each group is `name` or below it; all True for the empty name."""
    return np.array([not name or group == name or group.startswith(f"{name}/") for group in groups], bool)


def pair_scores(
    embeddings: NDArray[np.float32], first: NDArray[np.int32], second: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Cosine of each pair (N,) float32, in blocks, so that a long list does not copy all embeddings."""
    scores = np.empty(len(first), np.float32)
    for start in range(0, len(first), ROWS):
        part = slice(start, start + ROWS)
        scores[part] = np.einsum("nd,nd->n", embeddings[first[part]], embeddings[second[part]])
    return np.clip(scores, -1.0, 1.0)


def _listed_comparisons(scores: NDArray[np.float32], listed: Listed, chosen: NDArray[np.bool_]) -> Comparisons:
    result = {}
    for kind, same in ((Kind.MATED, True), (Kind.NON_MATED, False)):
        part = chosen & (listed.same == same)
        collector = Collector(kind, max(int(part.sum()), DEFAULT_TAIL))
        collector.add(scores[part], listed.first[part], listed.second[part])
        result[kind] = collector.finish()
    photos = np.unique(np.concatenate([listed.first[chosen], listed.second[chosen]])).astype(np.int32)
    return Comparisons(result[Kind.MATED], result[Kind.NON_MATED], False, photos)


def _one_copy_each(
    subjects: NDArray[np.int32], usable: NDArray[np.bool_], same_photo: NDArray[np.int32] | None
) -> NDArray[np.int32]:
    photos = np.flatnonzero(usable)
    if same_photo is not None:
        keys = np.stack([subjects[photos], same_photo[photos]], axis=1)
        _, kept = np.unique(keys, axis=0, return_index=True)
        photos = photos[np.sort(kept)]
    return photos.astype(np.int32)


def _compare_segments(
    embeddings: NDArray[np.float32],
    subjects: NDArray[np.int32],
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    same_segment: bool,
    targets: Sequence[Mapping[Kind, Collector]],
) -> Iterator[float]:
    """Compare all pairs of two segments (each pair once within one segment); yields the number of scores done."""
    for top in range(0, len(first), ROWS):
        rows = first[top : top + ROWS]
        row_embeddings = embeddings[rows]
        for left in range(top if same_segment else 0, len(second), COLUMNS):
            columns = second[left : left + COLUMNS]
            scores = np.clip(row_embeddings @ embeddings[columns].T, -1.0, 1.0)
            wanted = np.ones(scores.shape, bool)
            if same_segment:
                # Each pair once: only columns after the row.
                position = np.arange(top, top + len(rows))[:, None]
                wanted = np.arange(left, left + len(columns))[None, :] > position
            same = subjects[rows][:, None] == subjects[columns][None, :]
            for kind, chosen in ((Kind.MATED, wanted & same), (Kind.NON_MATED, wanted & ~same)):
                for target in targets:
                    target[kind].add_matrix(scores, chosen, rows, columns)
            yield float(len(rows) * len(columns))
