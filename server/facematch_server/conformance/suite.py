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


class Outcome(StrEnum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """One case and how it ended.

    Attributes:
        case: the case.
        outcome: how it ended.
        problems: what was wrong, in words; the reason of a skipped one.
        reply: what came back, None where nothing did.
    """

    case: Case
    outcome: Outcome
    problems: tuple[str, ...] = ()
    reply: Reply | None = None


def run(
    target: Target,
    cases: Sequence[Case],
    profile: Profile | None = None,
    tell: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Ask everything, one request after the other; last, whether all replies speak one profile.

    Args:
        target: the server.
        cases: what to ask.
        profile: the profile it must be; None for either.
        tell: called with each result as it comes.
    """
    results = []
    with target.client() as client:
        for case in cases:
            results.append(_ask(case, lambda case=case: target.send(client, case.call)))  # type: ignore[misc]
            tell(results[-1])
    results.append(_one_profile(results, profile))
    tell(results[-1])
    return results


def detected_profile(results: Sequence[Result]) -> Profile | None:
    """The profile that most comparisons spoke; None where there was none."""
    spoken = [profile for result in results if result.reply and (profile := profile_of(result.reply))]
    return Counter(spoken).most_common(1)[0][0] if spoken else None


def _ask(case: Case, send: Callable[[], Reply]) -> Result:
    if case.call is None:
        return Result(case, Outcome.SKIPPED, (case.skip,))
    try:
        reply = send()
    except UnreachableError as error:
        return Result(case, Outcome.FAILED, (f"no reply: {error}",))
    problems = [problem for expect in (envelope, *case.expects) for problem in expect(reply)]
    return Result(case, Outcome.FAILED if problems else Outcome.PASSED, tuple(problems), reply)


def _one_profile(results: Sequence[Result], wanted: Profile | None) -> Result:
    case = Case("profile", f"all replies speak {wanted or 'one profile'}", None)
    compared = [result for result in results if result.reply and result.reply.data]
    if not compared:
        return Result(case, Outcome.SKIPPED, ("nothing was compared",))
    expected = wanted or detected_profile(results)
    other = [result.case.name for result in compared if result.reply and profile_of(result.reply) is not expected]
    problems = tuple(f"not {expected or 'of a known profile'}: {name}" for name in other)
    return Result(case, Outcome.FAILED if problems else Outcome.PASSED, problems)
