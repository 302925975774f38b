"""How many replicas: a fixed number or a range."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from facematch_local.errors import FacematchError

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Replicas:
    """A range of numbers of replicas.

    Attributes:
        least: at any time; 1 or more.
        most: under load; `least` or more.
    """

    least: int
    most: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `N` or `MIN:MAX`.

        Raises:
            FacematchError: it is neither.
        """
        match = re.fullmatch(r"(\d{1,5})(?::(\d{1,5}))?", text)
        least, most = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= least <= most <= _MOST:
            raise FacematchError(f"--replicas {text}: give a number, or MIN:MAX with 1 <= MIN <= MAX <= {_MOST}")
        return cls(least, most)
