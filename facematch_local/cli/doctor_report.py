"""The form of the report of `facematch doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the report.

    Attributes:
        about: the examined part.
        found: its state, or the problem and the remedy.
        wrong: whether the part prevents or impairs the service.
        note: whether the service works, but the operator should know about the state.
        next_step: what to do about a problem or a note; "" only if the line is neither.
    """

    about: str
    found: str
    wrong: bool = False
    note: bool = False
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Parts that belong together.

    Attributes:
        title: heading of the group.
        parts: functions that examine the parts.
    """

    title: str
    parts: Sequence[Callable[[], Iterator[Line]]]


def examine(group: Group) -> Iterator[Line]:
    """Examine every part; an unexpected error in a part becomes a line of the report, and the others follow."""
    for part in group.parts:
        try:
            yield from part()
        except Exception as error:  # a diagnosis must survive any fault that it diagnoses
            found = f"{type(error).__name__}: {error}"
            step = "reinstall facematch-local (`make setup`); if that does not help, report this line as a fault"
            yield Line(part.__name__.strip("_"), found, wrong=True, next_step=step)
