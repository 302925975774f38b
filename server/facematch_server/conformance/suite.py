"""Runs the cases against a server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from facematch_server.conformance.call import Reply, Target, UnreachableError
from facematch_server.conformance.cases import Case
from facematch_server.conformance.shape import envelope, profile_of
from facematch_server.wire.profile import Profile


class CaseOutcome(StrEnum):
    """The outcome of a case."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """One case and its outcome.

    Attributes:
        case: the case.
        outcome: its outcome.
        problems: the problems in words; for a skipped case the reason.
        reply: the reply; None without one.
    """

    case: Case
    outcome: CaseOutcome
    problems: tuple[str, ...] = ()
    reply: Reply | None = None


def run(
    target: Target,
    cases: Sequence[Case],
    profile: Profile | None = None,
    on_result: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Run the cases one after the other; then check that all replies have one wire profile.

    Args:
        target: the server.
        cases: the cases.
        profile: the required wire profile; None for either.
        on_result: called with each result.
    """
    results = []
    with target.client() as client:
        for case in cases:
            results.append(_ask(case, lambda case=case: target.send(client, case.call)))  # type: ignore[misc]
            on_result(results[-1])
    results.append(_one_profile(results, profile))
    on_result(results[-1])
    return results


def detected_profile(results: Sequence[Result]) -> Profile | None:
    """The wire profile of most comparisons; None without a comparison."""
    spoken = [profile for result in results if result.reply and (profile := profile_of(result.reply))]
    return Counter(spoken).most_common(1)[0][0] if spoken else None


def _ask(case: Case, send: Callable[[], Reply]) -> Result:
    if case.call is None:
        return Result(case, CaseOutcome.SKIPPED, (case.skip,))
    try:
        reply = send()
    except UnreachableError as error:
        return Result(case, CaseOutcome.FAILED, (f"no reply: {error}",))
    problems = [problem for expect in (envelope, *case.expects) for problem in expect(reply)]
    return Result(case, CaseOutcome.FAILED if problems else CaseOutcome.PASSED, tuple(problems), reply)


def _one_profile(results: Sequence[Result], wanted: Profile | None) -> Result:
    case = Case("profile", f"all replies have {wanted or 'one wire profile'}", None)
    compared = [result for result in results if result.reply and result.reply.data]
    if not compared:
        return Result(case, CaseOutcome.SKIPPED, ("nothing was compared",))
    expected = wanted or detected_profile(results)
    other = [result.case.name for result in compared if result.reply and profile_of(result.reply) is not expected]
    problems = tuple(f"not {expected or 'of a known profile'}: {name}" for name in other)
    return Result(case, CaseOutcome.FAILED if problems else CaseOutcome.PASSED, problems)
