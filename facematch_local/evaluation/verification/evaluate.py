"""From a dataset and its embeddings to every figure of a verification report."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facematch_local.calibration import Calibration
from facematch_local.evaluation.verification.bootstrap import UNKNOWN, Interval, SubjectBootstrap
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
from facematch_local.evaluation.verification.rates import (
    FMR_TARGETS,
    FoldAccuracy,
    OperatingPoint,
    carries,
    equal_error_rate,
    fold_accuracy,
    made_folds,
    operating_point,
    threshold_at_fmr,
)

MARKS = (65, 75)
"""The percents at which the contract's verdict changes."""

MIN_ERRORS_TO_COMPARE = 10
"""Below this a group's FMR is no ground to call it the worst."""


@dataclass(frozen=True, slots=True)
class MarkPoint:
    """What happens at one mark of the percent scale.

    Attributes:
        percent: 65 (a match is 65.00 and above) or 75 (above 75.00), as in the contract.
        point: threshold and error rates over the comparisons that took place.
        fmr, fnmr: 95 % intervals by subject.
        gfmr, gfnmr: the generalised rates (ISO/IEC 19795-1 calls them GFAR and GFRR for one attempt): of all
            comparisons that were asked for, those with a photo without face counted as "no match".
    """

    percent: int
    point: OperatingPoint
    fmr: Interval
    fnmr: Interval
    gfmr: float
    gfnmr: float


@dataclass(frozen=True, slots=True)
class FmrPoint:
    """The threshold for a stated FMR.

    Attributes:
        fmr: what was asked for.
        supported: False where the comparisons are too few for a statement (rule of 3); nothing else is then given.
        threshold: cosine; NaN if not supported.
        interval: 95 % interval of the threshold, by subject.
        tmr: true match rate there; NaN without mated comparisons.
        false_matches: at that threshold; below 30 the figure is rough (rule of 30).
    """

    fmr: float
    supported: bool
    threshold: float = float("nan")
    interval: Interval = UNKNOWN
    tmr: float = float("nan")
    false_matches: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """All figures of one population: everyone, or one group.

    Attributes:
        name: the group, "" for everyone.
        people, photos: that took part.
        comparisons: the scores.
        marks: at 65 % and 75 %.
        targets: at FMR 1e-2 to 1e-6.
        eer: equal error rate, NaN where a kind of comparisons is missing.
        eer_threshold: its threshold.
    """

    name: str
    people: int
    photos: int
    comparisons: Comparisons
    marks: tuple[MarkPoint, ...]
    targets: tuple[FmrPoint, ...]
    eer: float
    eer_threshold: float

    def mark(self, percent: int) -> MarkPoint:
        """The figures at 65 or 75."""
        return next(mark for mark in self.marks if mark.percent == percent)

    def target(self, fmr: float) -> FmrPoint:
        """The figures at one of `FMR_TARGETS`."""
        return next(target for target in self.targets if math.isclose(target.fmr, fmr))


@dataclass(frozen=True, slots=True)
class Differential:
    """Differential performance between groups (ISO/IEC 19795-10) at one mark.

    Attributes:
        percent: 65 or 75.
        worst_fmr_group: the group with the highest FMR among those whose comparisons carry the rate; "" if none does.
        fmr_ratio: its FMR over that of all comparisons; NaN where the latter is 0.
        worst_fnmr_group, fnmr_ratio: the same for FNMR.
    """

    percent: int
    worst_fmr_group: str
    fmr_ratio: float
    worst_fnmr_group: str
    fnmr_ratio: float


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A verification run.

    Attributes:
        dataset, embeddings: what was measured.
        calibration: the curve that the percents come from.
        overall: everyone.
        groups: by name.
        differential: at each mark; empty without groups.
        accuracy: LFW protocol; None for runs over all pairs.
        fta: failure-to-acquire rate.
        copies: photos left out of mated comparisons because the same bytes are there under the same person.
        problems: lines, files and labels that were left out or look wrong.
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
    """Compare and count.

    Args:
        dataset: photos, people and, if it is a list of pairs, the pairs.
        embeddings: of its photos.
        calibration: the curve to judge.
        replicates: draws of the bootstrap.
        progress: called with the share of comparisons done.
    """
    problems = [*dataset.problems, *_photo_problems(dataset, embeddings)]
    fta, accuracy = embeddings.failure_to_acquire, None
    if dataset.pairs is None:
        doubtful = _copies_of_other_people(dataset, embeddings)
        problems += [Problem(str(dataset.photos[at]), "the same file is there under another person") for at in doubtful]
        embeddings = replace(embeddings, usable=embeddings.usable & ~np.isin(np.arange(len(dataset.photos)), doubtful))
        overall, by_group = compare_all(
            embeddings.matrix,
            dataset.subjects,
            dataset.groups,
            embeddings.usable,
            embeddings.content,
            progress,
        )
    else:
        listed = Listed(dataset.pairs.first, dataset.pairs.second, dataset.pairs.same, dataset.pairs.group)
        overall, by_group = compare_listed(embeddings.matrix, listed, embeddings.usable)
        accuracy = _accuracy(dataset, embeddings)
    completed = _completed(dataset, embeddings)
    scopes = {
        name: _scope(name, comparisons, dataset.subjects, calibration, replicates, completed.get(name, completed[""]))
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


def mark_threshold(calibration: Calibration, percent: int) -> float:
    """The lowest cosine whose printed percent is on the upper side of a mark: 65.00 and above, or above 75.00.

    Found by bisection on the very function that prints, so that rounding is part of it.
    """

    def beyond(cosine: float) -> bool:
        printed = calibration.percent(cosine)
        return printed > percent if percent == 75 else printed >= percent

    low, high = -1.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return high


def differential(overall: Scope, groups: Mapping[str, Scope], percent: int) -> Differential:
    """The worst group at a mark, for FMR and for FNMR."""
    point = overall.mark(percent).point
    fmr = {name: scope.mark(percent).point.fmr for name, scope in groups.items() if _speaks_of_fmr(scope, percent)}
    fnmr = {
        name: scope.mark(percent).point.fnmr
        for name, scope in groups.items()
        if scope.comparisons.mated.count and not math.isnan(point.fnmr)
    }
    worst_fmr = max(fmr, key=fmr.__getitem__, default="")
    worst_fnmr = max(fnmr, key=fnmr.__getitem__, default="")
    return Differential(
        percent,
        worst_fmr,
        _ratio(fmr.get(worst_fmr, float("nan")), point.fmr),
        worst_fnmr,
        _ratio(fnmr.get(worst_fnmr, float("nan")), point.fnmr),
    )


def _speaks_of_fmr(scope: Scope, percent: int) -> bool:
    """Whether a group has errors enough to be called the worst; one or two are chance."""
    return scope.mark(percent).point.false_matches >= MIN_ERRORS_TO_COMPARE


def _ratio(value: float, base: float) -> float:
    return value / base if base else float("nan")


def _scope(
    name: str,
    comparisons: Comparisons,
    subjects: NDArray[np.int32],
    calibration: Calibration,
    replicates: int,
    completed: tuple[float, float],
) -> Scope:
    bootstrap = SubjectBootstrap(comparisons, subjects, replicates)
    eer, eer_threshold = equal_error_rate(comparisons)
    mated_share, non_mated_share = completed

    def mark(percent: int) -> MarkPoint:
        threshold = mark_threshold(calibration, percent)
        point = operating_point(comparisons, threshold)
        return MarkPoint(
            percent,
            point,
            bootstrap.fmr(threshold),
            bootstrap.fnmr(threshold),
            gfmr=point.fmr * non_mated_share,
            gfnmr=1 - (1 - point.fnmr) * mated_share,
        )

    def target(fmr: float) -> FmrPoint:
        if not carries(comparisons.non_mated.count, fmr):
            return FmrPoint(fmr, supported=False)
        threshold = threshold_at_fmr(comparisons.non_mated, fmr)
        point = operating_point(comparisons, threshold)
        return FmrPoint(fmr, True, threshold, bootstrap.threshold_at_fmr(fmr), point.tmr, point.false_matches)

    return Scope(
        name=name,
        people=bootstrap.subjects,
        photos=len(comparisons.photos),
        comparisons=comparisons,
        marks=tuple(mark(percent) for percent in MARKS),
        targets=tuple(target(fmr) for fmr in FMR_TARGETS),
        eer=eer,
        eer_threshold=eer_threshold,
    )


def _completed(dataset: Dataset, embeddings: Embeddings) -> Mapping[str, tuple[float, float]]:
    """For everyone ("") and each group: the share of mated and of non-mated comparisons that could take place.

    Comparisons with an unreadable file are not among those asked for.
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
    """Mated and non-mated pairs that can be formed."""
    counts = np.bincount(subjects) if len(subjects) else np.zeros(1, np.int64)
    mated = int((counts * (counts - 1) // 2).sum())
    return mated, len(subjects) * (len(subjects) - 1) // 2 - mated


def _photo_problems(dataset: Dataset, embeddings: Embeddings) -> list[Problem]:
    return [
        Problem(str(path), reason) for path, reason in zip(dataset.photos, embeddings.reasons, strict=True) if reason
    ]


def _copies_of_other_people(dataset: Dataset, embeddings: Embeddings) -> list[int]:
    """Photos whose bytes are there under several people: a label is wrong, the pair would pass for a false match."""
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
    # Accuracy is a figure of balanced lists; of a hundred strangers to one pair, "no" to all would reach 99 %.
    if not 0.4 <= pairs.same.mean() <= 0.6:
        return None
    scores = pair_scores(embeddings.matrix, pairs.first, pairs.second)
    # A pair without a comparison is answered "no match": LFW has no way to abstain.
    scores[~both] = -1.0
    readable = ~embeddings.unreadable[pairs.first] & ~embeddings.unreadable[pairs.second]
    given = all(pairs.fold)
    if given:
        _, folds = np.unique(np.array(pairs.fold, dtype=object), return_inverse=True)
    else:
        folds = made_folds(pairs.same)
    return fold_accuracy(scores[readable], pairs.same[readable], folds[readable], given)
