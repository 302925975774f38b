"""Counts of hits and false alarms with confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from facematch_local.codes import WarningCode
from facematch_local.evaluation.warnings.cases import Case
from facematch_local.policy import Finding, Outcome

NEAR_ZERO = 1e-6


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case and its result.

    Attributes:
        case: the case.
        raised: whether the code was raised.
        assessed: whether at least one measure of the code could be taken.
        excess: distance of the worst measure beyond its limit, as a share of the limit; negative within the limit.
        measures: the measures of the code, as text.
    """

    case: Case
    raised: bool
    assessed: bool
    excess: float
    measures: str

    @property
    def right(self) -> bool:
        """Whether the code was raised exactly if it should be."""
        return self.raised == self.case.positive


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval (Wilson 1927)."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """0 to 1; NaN without cases."""
        return self.count / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end, 0 to 1."""
        from scipy.stats import binomtest

        if not self.total:
            return (0.0, 1.0)
        interval = binomtest(self.count, self.total).proportion_ci(0.95, method="wilson")
        return (float(interval.low), float(interval.high))

    def __str__(self) -> str:
        if not self.total:
            return "-"
        low, high = self.interval
        return f"{self.count}/{self.total} = {100 * self.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


@dataclass(frozen=True, slots=True)
class CodeFigures:
    """The figures of one code, or of one kind of case of a code.

    Attributes:
        code: the code.
        kind: the kind of case, "" for all.
        synthetic: whether the cases are synthetic.
        found: positive cases in which the code was raised.
        alarms: negative cases in which the code was raised.
        not_assessed: cases in which no measure of the code could be taken.
    """

    code: WarningCode
    kind: str
    synthetic: bool
    found: Rate
    alarms: Rate
    not_assessed: int


def judge(case: Case, findings: Sequence[Finding]) -> CaseResult:
    """The result of a case from the findings of its photo."""
    raised = {finding.limit.code for finding in findings if finding.outcome is Outcome.WARNING}
    any_code = case.code is WarningCode.SUCCESSFUL
    asked = [finding for finding in findings if any_code or finding.limit.code == case.code]
    shown = [finding for finding in asked if not any_code or finding.outcome is Outcome.WARNING]
    return CaseResult(
        case,
        raised=bool(raised) if any_code else case.code in raised,
        assessed=any(finding.outcome is not Outcome.NOT_ASSESSED for finding in asked),
        excess=max((_excess(finding) for finding in asked), default=-1.0),
        measures=", ".join(_measure_text(finding) for finding in shown),
    )


def figures(results: Sequence[CaseResult], *, by_kind: bool = False) -> list[CodeFigures]:
    """Figures by code, real photos before synthetic ones; with `by_kind` one entry for each kind of case."""

    def key(result: CaseResult) -> tuple[WarningCode, bool, str]:
        return result.case.code, result.case.synthetic, result.case.kind if by_kind else ""

    entries = []
    for code, synthetic, kind in sorted({key(result) for result in results}):
        chosen = [result for result in results if key(result) == (code, synthetic, kind)]
        positive = [result for result in chosen if result.case.positive]
        negative = [result for result in chosen if not result.case.positive]
        entries.append(
            CodeFigures(
                code,
                kind,
                synthetic,
                found=Rate(sum(result.raised for result in positive), len(positive)),
                alarms=Rate(sum(result.raised for result in negative), len(negative)),
                not_assessed=sum(not result.assessed for result in chosen),
            )
        )
    return entries


def _measure_text(finding: Finding) -> str:
    value = finding.measure.value
    return f"{finding.name} ?" if value is None else f"{finding.name} {value:.3g}"


def _excess(finding: Finding) -> float:
    value, limit = finding.measure.value, finding.limit
    if value is None:
        return -1.0
    beyond = [-float("inf")]
    if limit.minimum is not None:
        beyond.append((limit.minimum - value) / max(abs(limit.minimum), NEAR_ZERO))
    if limit.maximum is not None:
        beyond.append((value - limit.maximum) / max(abs(limit.maximum), NEAR_ZERO))
    return max(beyond)
