"""What checks are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief import BriefRepr
from facematch_local.calibration import GENERIC, Calibration
from facematch_local.checks import occlusion_linear
from facematch_local.documents.outline import closer, outline
from facematch_local.documents.printed import Document, find_document
from facematch_local.faces import Face
from facematch_local.imaging.double_jpeg import Recompression, find_recompression
from facematch_local.imaging.photo import Photo, Pixels
from facematch_local.imaging.spectrum import period_of
from facematch_local.networks import Networks
from facematch_local.networks.document import DocumentScores
from facematch_local.networks.occlusion import OcclusionScores, occlusion_crop
from facematch_local.networks.recapture import RecaptureScores, recapture_crop

FACE_GREY_EYE_DISTANCE: Final = 48.0


class Role(StrEnum):
    """What a photo is meant to show (`type1` of the contract)."""

    CARD = "card"
    PORTRAIT = "portrait"


@dataclass(frozen=True, eq=False, repr=False)
class Subject(BriefRepr):
    """A photo and what was found in it: all that a check may look at.

    What several checks need is worked out when the first one asks, and once: the cached properties. One
    thread looks at one subject.

    Attributes:
        photo: the decoded photo.
        role: what it is meant to show.
        faces: faces found, largest first. On a card the largest of those that could be a second person are
            embedded, so that the ghost portrait can be told from one.
        heads: the optional heads in use.
        calibration: the curve of the recogniser that embedded the faces.
    """

    photo: Photo
    role: Role
    faces: tuple[Face, ...]
    heads: Networks = field(default_factory=Networks)
    calibration: Calibration = GENERIC

    @property
    def face(self) -> Face | None:
        """The face that is compared: the largest one."""
        return self.faces[0] if self.faces else None

    @cached_property
    def head_crop(self) -> Pixels | None:
        """The compared face with hair and chin, turned upright, 24 pixels between the eyes: 112x112x3 uint8 BGR."""
        return occlusion_crop(self.photo.pixels, self.face) if self.face else None

    @cached_property
    def face_grey(self) -> NDArray[np.float32] | None:
        """The box of the compared face, grey, 0 to 255, no more than 48 pixels between the eyes; None without one."""
        import cv2

        part = None if self.face is None else _inside(self.photo.pixels, self.face)
        if part is None or self.face is None:
            return None
        scale = FACE_GREY_EYE_DISTANCE / max(self.face.inter_eye_distance, 1.0)
        if scale < 1:
            size = (max(round(part.shape[1] * scale), 1), max(round(part.shape[0] * scale), 1))
            part = cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        return cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)

    @cached_property
    def document(self) -> Document:
        """What print and edges say of a document around the compared face, and where it lies."""
        return find_document(self.photo.pixels, self.face)

    @cached_property
    def document_scores(self) -> DocumentScores | None:
        """What the document head says of the photo; None without one."""
        return None if self.heads.document is None else self.heads.document.predict(self.photo.pixels, self.face)

    @cached_property
    def closer_document_scores(self) -> DocumentScores | None:
        """What the document head says at a closer look at what may be one; None without a head."""
        scores, head = self.document_scores, self.heads.document
        return None if scores is None or head is None else head.look(self.photo.pixels, closer(scores))

    @cached_property
    def document_corners(self) -> NDArray[np.float32]:
        """(4, 2) float32, pixels of the photo: the document's corners as one reads it, `Document.corners`.

        By the document head where it sees one, else by print and edges.
        """
        scores = self.document_scores
        seen = None if scores is None else outline(scores, self.face)
        return self.document.corners if seen is None else seen

    @cached_property
    def recompression(self) -> Recompression | None:
        """What compressions the document shows; None without a face, or with too few pixels."""
        return (
            None if self.face is None else find_recompression(self.photo.pixels, self.document_corners, self.face.box)
        )

    @cached_property
    def occlusion(self) -> OcclusionScores | None:
        """What the occlusion head says of the compared face; None without a head or a face."""
        if self.head_crop is None or self.heads.occlusion is None:
            return None
        return self.heads.occlusion.predict(self.head_crop)

    @cached_property
    def linear_occlusion(self) -> dict[str, float]:
        """What the linear measure says of the compared face, by kind; empty without a face."""
        return {} if self.head_crop is None else occlusion_linear.scores(self.head_crop)

    @cached_property
    def period(self) -> float | None:
        """The strongest period at the compared face (`period_of`), ln; None without one or with too few pixels."""
        return None if self.face is None else period_of(self.photo.pixels, self.face.box)

    @cached_property
    def recapture(self) -> RecaptureScores | None:
        """What the recapture head says of the compared face; None without a head or a face."""
        if self.face is None or self.heads.recapture is None:
            return None
        return self.heads.recapture.predict(recapture_crop(self.photo.pixels, self.face.box), self.period)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with a unit, or the reason why there is none.

    Attributes:
        value: what was measured; None when it could not be assessed (ISO/IEC 29794-5: failure to assess).
        unit: unit of `value`, "1" for ratios and counts.
        reason: why it could not be assessed, "" when it was.
        method: how it was measured, where there is more than one way: `HEAD` or `CLASSICAL`. Their values
            have different scales, so the policy has a limit for each.
    """

    value: float | None
    unit: str = "1"
    reason: str = ""
    method: str = ""

    @classmethod
    def not_assessed(cls, reason: str, unit: str = "1", method: str = "") -> Measure:
        """A measure that could not be taken."""
        return cls(None, unit, reason, method)


HEAD: Final = "head"
CLASSICAL: Final = "classical"


@dataclass(frozen=True, slots=True)
class Check:
    """A named measure. The policy holds the threshold for `name`, one per method where there are several.

    Attributes:
        name: in the policy and in detailed results.
        measure: takes it.
        head: which of `Networks` it is measured with, in another way without that head; None where no head serves it.
    """

    name: str
    measure: Callable[[Subject], Measure]
    head: Literal["occlusion", "recapture", "document", "photocopy"] | None = None

    @property
    def methods(self) -> tuple[str, ...]:
        """What `Measure.method` may be."""
        return ("",) if self.head is None else (HEAD, CLASSICAL)

    def method(self, subject: Subject) -> str:
        """What `Measure.method` is for this subject, whether or not the measure can be taken."""
        if self.head is None:
            return ""
        return CLASSICAL if getattr(subject.heads, self.head) is None else HEAD


NO_FACE: Final = "no face was found"


def _inside(pixels: Pixels, face: Face) -> Pixels | None:
    """The part of the photo in the face's box; None where the box lies outside."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = (max(round(float(value)), 0) for value in face.box)
    part = pixels[top : min(bottom, height), left : min(right, width)]
    return part if part.size else None
