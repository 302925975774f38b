"""A verification run: all figures of a dataset and its embeddings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facematch_local.calibration import Calibration
from facematch_local.evaluation.verification.dataset import Dataset, Problem
from facematch_local.evaluation.verification.embed import Embeddings
from facematch_local.evaluation.verification.pairs import (
    Comparisons,
    Listed,
    compare_all,
    compare_listed,
    in_group,
    pair_scores,
    with_parents,
)
from facematch_local.evaluation.verification.rates import FoldAccuracy, fold_accuracy, random_folds
from facematch_local.evaluation.verification.scope import MARKS, Differential, Scope, differential, scope_figures


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A verification run.

    Attributes:
        dataset, embeddings: the photos and their embeddings.
        calibration: the curve of the percents.
        overall: everyone.
        groups: by name.
        differential: the worst group at each mark; empty without groups.
        accuracy: by the LFW protocol; None for all pairs and for unbalanced lists.
        fta: failure-to-acquire rate.
        copies: number of photos left out because another file of the same person has the same bytes.
        problems: lines and files that were left out or have doubtful labels.
    """

    dataset: Dataset
    embeddings: Embeddings
    calibration: Calibration
    overall: Scope
    groups: Mapping[str, Scope]
    differential: tuple[Differential, ...]
    accuracy: FoldAccuracy | None
    fta: float
    copies: int
    problems: Sequence[Problem]


def evaluate(
    dataset: Dataset,
    embeddings: Embeddings,
    calibration: Calibration,
    replicates: int = 200,
    progress: Callable[[float], None] = lambda _: None,
) -> Evaluation:
    """Compare the photos and compute all figures.

    Args:
        dataset: photos, people and, for a list of pairs, the pairs.
        embeddings: the embeddings of its photos.
        calibration: the curve of the percents.
        replicates: draws of the bootstrap.
        progress: called with the share of comparisons done.
    """
    problems = [*dataset.problems, *_photo_problems(dataset, embeddings)]
    fta, accuracy = embeddings.failure_to_acquire, None
    if dataset.pairs is None:
        doubtful = _copies_of_other_people(dataset, embeddings)
        problems += [Problem(str(dataset.photos[at]), "another person has the same file") for at in doubtful]
        embeddings = replace(embeddings, usable=embeddings.usable & ~np.isin(np.arange(len(dataset.photos)), doubtful))
    else:
        accuracy = _accuracy(dataset, embeddings)
    overall, by_group = _compared(dataset, embeddings, progress)
    completed = _completed(dataset, embeddings)
    scopes = {
        name: scope_figures(
            name, comparisons, dataset.subjects, calibration, replicates, completed.get(name, completed[""])
        )
        for name, comparisons in {"": overall, **by_group}.items()
    }
    groups = {name: scope for name, scope in scopes.items() if name}
    return Evaluation(
        dataset=dataset,
        embeddings=embeddings,
        calibration=calibration,
        overall=scopes[""],
        groups=groups,
        differential=tuple(differential(scopes[""], groups, percent) for percent in MARKS) if groups else (),
        accuracy=accuracy,
        fta=fta,
        copies=_copies(dataset, embeddings) if dataset.pairs is None else 0,
        problems=problems,
    )


def _compared(
    dataset: Dataset, embeddings: Embeddings, progress: Callable[[float], None]
) -> tuple[Comparisons, Mapping[str, Comparisons]]:
    """The comparisons of everyone, and of each group."""
    pairs, usable = dataset.pairs, embeddings.usable
    if pairs is None:
        return compare_all(embeddings.matrix, dataset.subjects, dataset.groups, usable, embeddings.content, progress)
    return compare_listed(embeddings.matrix, Listed(pairs.first, pairs.second, pairs.same, pairs.group), usable)


def _completed(dataset: Dataset, embeddings: Embeddings) -> Mapping[str, tuple[float, float]]:
    """The completed shares of the requested mated and non-mated comparisons, for everyone ("") and each group.

    A comparison with an unreadable file does not count as requested.
    """
    readable = ~embeddings.unreadable
    result = {}
    groups = {*dataset.groups, *(dataset.pairs.group if dataset.pairs else ())}
    for name in {"", *(above for group in groups for above in with_parents(group))}:
        if dataset.pairs is not None:
            pairs = dataset.pairs
            asked = readable[pairs.first] & readable[pairs.second] & in_group(pairs.group, name)
            done = embeddings.usable[pairs.first] & embeddings.usable[pairs.second]
            shares = [
                float(done[part].mean()) if (part := asked & (pairs.same == same)).any() else 1.0
                for same in (True, False)
            ]
        else:
            member = in_group(dataset.groups, name)
            asked_pairs = _pair_counts(dataset.subjects[readable & member])
            done_pairs = _pair_counts(dataset.subjects[embeddings.usable & member])
            shares = [done / asked if asked else 1.0 for done, asked in zip(done_pairs, asked_pairs, strict=True)]
        result[name] = (shares[0], shares[1])
    return result


def _pair_counts(subjects: NDArray[np.int32]) -> tuple[int, int]:
    """Numbers of mated and of non-mated pairs of photos with these subjects."""
    counts = np.bincount(subjects) if len(subjects) else np.zeros(1, np.int64)
    mated = int((counts * (counts - 1) // 2).sum())
    return mated, len(subjects) * (len(subjects) - 1) // 2 - mated


def _photo_problems(dataset: Dataset, embeddings: Embeddings) -> list[Problem]:
    return [
        Problem(str(path), reason) for path, reason in zip(dataset.photos, embeddings.reasons, strict=True) if reason
    ]


def _copies_of_other_people(dataset: Dataset, embeddings: Embeddings) -> list[int]:
    """Photos with the same bytes under several people: one label is wrong, the pair would count as a false match."""
    people: dict[int, set[int]] = {}
    for content, subject in zip(embeddings.content.tolist(), dataset.subjects.tolist(), strict=True):
        people.setdefault(content, set()).add(subject)
    return [
        at
        for at, content in enumerate(embeddings.content.tolist())
        if embeddings.usable[at] and len(people[content]) > 1
    ]


def _copies(dataset: Dataset, embeddings: Embeddings) -> int:
    keys = np.stack([dataset.subjects, embeddings.content], axis=1)[embeddings.usable]
    return len(keys) - len(np.unique(keys, axis=0))


def _accuracy(dataset: Dataset, embeddings: Embeddings) -> FoldAccuracy | None:
    pairs = dataset.pairs
    if pairs is None:
        return None
    both = embeddings.usable[pairs.first] & embeddings.usable[pairs.second]
    # Accuracy needs a balanced list: with a hundred non-mated pairs to one mated pair, "no match" for all reaches 99 %.
    if not 0.4 <= pairs.same.mean() <= 0.6:
        return None
    scores = pair_scores(embeddings.matrix, pairs.first, pairs.second)
    # A pair without a comparison counts as "no match": the LFW protocol has no abstention.
    scores[~both] = -1.0
    readable = ~embeddings.unreadable[pairs.first] & ~embeddings.unreadable[pairs.second]
    given = all(pairs.fold)
    if given:
        _, folds = np.unique(np.array(pairs.fold, dtype=object), return_inverse=True)
    else:
        folds = random_folds(pairs.same)
    return fold_accuracy(scores[readable], pairs.same[readable], folds[readable], given)
