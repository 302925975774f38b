"""Report the warnings of kept measures under other limits, in seconds.

    python -m scripts.development.limits measures.json lists/development.csv --data ../shared/data \
        --leave-out scripts/training/occlusion/warnings_left_out.csv --set portrait.sunglasses=0.25 --wrong 7

`measures.json` comes from `scripts.development.measures`. `--set ROLE.CHECK=LIMIT` moves the bound that the policy has.
`--wrong` lists the photos with a wrong answer. `--sweep portrait.sunglasses` prints the figures of that check's code at
many limits instead.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from facematch_local.checks import CHECKS, Measure, Role
from facematch_local.errors import FacematchError
from facematch_local.evaluation.table_file import InputError
from facematch_local.evaluation.warnings.cases import Case
from facematch_local.evaluation.warnings.evaluate import Request
from facematch_local.evaluation.warnings.figures import CaseResult, Rate, figures, judge
from facematch_local.policy import Limit, Policy, load_policy
from scripts.development.measures import Measured, cases_of, read_measures

Photos = Mapping[tuple[str, Role], Measured]
_SWEPT = 25


def moved(policy: Policy, role: Role, name: str, bound: float) -> Policy:
    """The policy with one bound moved: the minimum if the check has one, else the maximum.

    Raises:
        InputError: the policy has no limit for the check.
    """
    limits = policy.limits[role]
    if name not in limits:
        raise InputError(f"{role}.{name}: the policy has no such limit")
    old = limits[name]
    new = Limit(old.code, bound) if old.minimum is not None else Limit(old.code, None, bound)
    return replace(policy, limits={**policy.limits, role: {**limits, name: new}})


def results(cases: Sequence[Case], photos: Photos, policy: Policy) -> list[CaseResult]:
    """The result of each case whose photo was decoded."""
    found = []
    for case in cases:
        photo = photos[case.name, case.role]
        if photo.faces is None:
            continue
        measures = {
            check.name: Measure(photo.values[check.name], "1", photo.reasons.get(check.name, ""))
            for check in CHECKS[case.role]
            if check.name in photo.values
        }
        found.append(judge(case, policy.judge(1, case.role, measures)))
    return found


def lines(found: Sequence[CaseResult]) -> Iterator[str]:
    """A Markdown table of hits and false alarms by code and kind."""
    yield "| Code | Kind | Found | False alarms | Not assessed |\n|---|---|---|---|---|"
    for row in figures(found, by_kind=True):
        yield f"| {int(row.code)} | {row.kind} | {row.found} | {row.alarms} | {row.not_assessed} |"


def sweep(cases: Sequence[Case], photos: Photos, policy: Policy, role: Role, name: str) -> Iterator[str]:
    """Hits and false alarms by kind of the check's code, at limits spaced over its measures."""
    limit = moved(policy, role, name, 0.0).limits[role][name]
    asked = [case for case in cases if case.code is limit.code and case.role is role]
    values = [photos[case.name, role].values.get(name) for case in asked]
    known = [value for value in values if value is not None]
    for bound in np.unique(np.quantile(known, np.linspace(0, 1, _SWEPT)).round(3)) if known else ():
        found = figures(results(asked, photos, moved(policy, role, name, float(bound))), by_kind=True)
        parts = [f"{row.kind} {_short(row.found)}{_short(row.alarms)}" for row in found]
        yield f"{name} {bound:.3f}: {', '.join(parts)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 2 if a list or a limit cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", type=Path)
    parser.add_argument("labels", type=Path, help="list of `scripts.development.labels`")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--leave-out", type=Path, action="append", default=[])
    parser.add_argument("--synthetic", type=int, default=0, metavar="N", help="as for `measures`")
    parser.add_argument("--set", action="append", default=[], metavar="ROLE.CHECK=LIMIT")
    parser.add_argument("--wrong", type=int, action="append", default=[], metavar="CODE")
    parser.add_argument("--sweep", metavar="ROLE.CHECK")
    options = parser.parse_args(arguments)
    try:
        photos, policy = read_measures(options.measures), load_policy()
        request = Request(options.labels, options.data, synthetic=options.synthetic, leave_out=tuple(options.leave_out))
        cases = [case for case in cases_of(request, "") if (case.name, case.role) in photos]
        for change in options.set:
            check, _, bound = change.partition("=")
            policy = moved(policy, *_check(check), float(bound))
        if options.sweep:
            print("\n".join(sweep(cases, photos, policy, *_check(options.sweep))))
            return 0
        found = results(cases, photos, policy)
    except (FacematchError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(lines(found)))
    for result in sorted(found, key=lambda result: result.excess):
        if int(result.case.code) in options.wrong and not result.right:
            print(f"{int(result.case.code)} {result.case.name} ({result.case.kind}): {result.measures}")
    return 0


def _check(text: str) -> tuple[Role, str]:
    role, _, name = text.partition(".")
    return Role(role), name


def _short(rate: Rate) -> str:
    return f"{rate.count}/{rate.total} = {100 * rate.value:.1f} % " if rate.total else ""


if __name__ == "__main__":
    raise SystemExit(main())
