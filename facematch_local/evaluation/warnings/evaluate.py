"""A run of `facematch evaluate warnings`: select cases, examine their photos, collect the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facematch_local.checks.check import Role
from facematch_local.errors import ImageFormatError, NoContentError
from facematch_local.evaluation.table_file import InputError
from facematch_local.evaluation.warnings.cases import (
    Case,
    deduplicated,
    listed,
    ordinary_portraits,
    read_cases,
    read_left_out,
    require_files,
)
from facematch_local.evaluation.warnings.figures import CaseResult, judge
from facematch_local.evaluation.warnings.synthetic_cases import sources, synthetic_cases

if TYPE_CHECKING:
    from facematch_local.matcher import FaceMatcher


@dataclass(frozen=True, slots=True)
class Request:
    """The photos to report on.

    Attributes:
        labels: the label list (see `cases.read_cases`).
        data: the folder that its paths are relative to.
        portraits: folders of ordinary portraits, relative to `data`.
        limit: number of photos of each kind of row and of each folder, evenly spaced; 0 for all.
        synthetic: number of synthetic cases of each kind.
        leave_out: lists of photos with wrong labels.
    """

    labels: Path
    data: Path
    portraits: Sequence[str] = ()
    limit: int = 0
    synthetic: int = 0
    leave_out: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """The cases of a request.

    Attributes:
        source: the label list, for messages.
        cases: the cases.
        left_out: number of photos on the lists to leave out.
        by_kind: whether the figures by kind belong to the printed report.
    """

    source: Path
    cases: Sequence[Case]
    left_out: int
    by_kind: bool


@dataclass(frozen=True, slots=True)
class Results:
    """The results of a run.

    Attributes:
        selection: the cases.
        cases: the result of each case with a photo that could be decoded.
        undecoded: names of the photos that could not be decoded.
    """

    selection: Selection
    cases: Sequence[CaseResult]
    undecoded: Sequence[str]


def select(request: Request) -> Selection:
    """Read the lists and collect all cases; no photo is read yet.

    Raises:
        InputError: a list or folder cannot be used, a photo is missing, no case is left, or the portraits and
            backgrounds do not suffice for synthetic cases.
    """
    data, left_out = request.data, read_left_out(request.leave_out)
    cases = [case for case in read_cases(request.labels, data, limit=request.limit) if case not in left_out]
    # A labelled photo is not an ordinary portrait, even if the limit left its row out.
    labelled = frozenset(case.name for case in read_cases(request.labels, data))
    for folder in request.portraits:
        portraits = ordinary_portraits(data, folder, limit=request.limit, skip=labelled)
        cases += [case for case in portraits if case not in left_out]
    cases = deduplicated(cases)
    if not cases:
        raise InputError(f"{request.labels}: no case to report on")
    require_files(cases, data)
    if request.synthetic:
        portrait_names, backgrounds = sources(cases)
        # A photo left out for any code may show a person or a document.
        backgrounds = [name for name in backgrounds if name not in left_out.codes]
        cases += synthetic_cases(
            [data / name for name in portrait_names], [data / name for name in backgrounds], request.synthetic
        )
    by_kind = len({case.kind for case in cases} - {"positive", "negative"}) > 0
    return Selection(request.labels, cases, len(left_out), by_kind)


def evaluate(matcher: FaceMatcher, selection: Selection, tick: Callable[[], None] = lambda: None) -> Results:
    """Examine the photos of all cases.

    Args:
        matcher: pack and policy to report on.
        selection: the cases.
        tick: called after each photo.

    Raises:
        InputError: a file cannot be read, or no photo could be decoded.
    """
    results, undecoded = examine(matcher, selection.cases, tick)
    if not results:
        raise InputError(f"{selection.source}: no photo could be decoded: {listed(undecoded)}")
    return Results(selection, results, undecoded)


def examine(
    matcher: FaceMatcher, cases: Iterable[Case], tick: Callable[[], None] = lambda: None
) -> tuple[list[CaseResult], list[str]]:
    """Examine every photo once in each role; returns the results and the names of photos that cannot be decoded.

    Raises:
        InputError: a file cannot be read.
    """
    groups: dict[tuple[str, Role], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.name, case.role), []).append(case)
    results: list[CaseResult] = []
    undecoded: dict[str, None] = {}
    for group in groups.values():
        try:
            _, findings = matcher.examine(group[0].read(), group[0].role)
        except (ImageFormatError, NoContentError):
            undecoded[group[0].name] = None
            continue
        except OSError as error:
            raise InputError(f"{group[0].name}: {error.strerror or type(error).__name__}") from None
        finally:
            tick()
        results.extend(judge(case, findings) for case in group)
    return results, list(undecoded)
