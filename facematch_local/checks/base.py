"""What checks are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from facematch_local.faces import Face
from facematch_local.images import Photo


class Role(StrEnum):
    """What a photo is meant to show (`type1` of the contract)."""

    CARD = "card"
    PORTRAIT = "portrait"


@dataclass(frozen=True, slots=True)
class Subject:
    """A photo and what was found in it: all that a check may look at.

    Attributes:
        photo: the decoded photo.
        role: what it is meant to show.
        faces: faces found, largest first. On a card the faces that could be a second person are
            embedded, so that the ghost portrait can be told from one.
    """

    photo: Photo
    role: Role
    faces: tuple[Face, ...]

    @property
    def face(self) -> Face | None:
        """The face that is compared: the largest one."""
        return self.faces[0] if self.faces else None


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with a unit, or the reason why there is none.

    Attributes:
        value: what was measured; None when it could not be assessed (ISO/IEC 29794-5: failure to assess).
        unit: unit of `value`, "1" for ratios and counts.
        reason: why it could not be assessed, "" when it was.
    """

    value: float | None
    unit: str = "1"
    reason: str = ""

    @classmethod
    def not_assessed(cls, reason: str, unit: str = "1") -> Measure:
        """A measure that could not be taken."""
        return cls(None, unit, reason)


@dataclass(frozen=True, slots=True)
class Check:
    """A named measure. The policy holds the threshold for `name`."""

    name: str
    measure: Callable[[Subject], Measure]


NO_FACE = "no face was found"
