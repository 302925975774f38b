"""The examination of one photo: the input of every check."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief_repr import BriefRepr
from facematch_local.calibration import GENERIC, Calibration
from facematch_local.checks.check import Role
from facematch_local.checks.face_region import face_ellipse
from facematch_local.documents.find import Document, find_document
from facematch_local.documents.outline import closer, outline
from facematch_local.faces import Face
from facematch_local.faces.box_part import box_part
from facematch_local.imaging.double_jpeg import Recompression, find_recompression
from facematch_local.imaging.luminance import histogram, luminance
from facematch_local.imaging.photo import Photo, Pixels
from facematch_local.imaging.resampling import scaled
from facematch_local.imaging.spectrum import period_of
from facematch_local.networks import Networks
from facematch_local.networks.document import DocumentScores
from facematch_local.networks.occlusion import OcclusionScores, occlusion_crop
from facematch_local.networks.recapture import RecaptureScores, recapture_crop

FACE_GREY_EYE_DISTANCE: Final = 48.0
# Used where a policy states no other. Two prints of one portrait on a card score far higher, and two people rarely
# reach it. It is low because a smudged ghost portrait may score low. It is a percentage because the meaning of a cosine
# depends on the recogniser (about 0.28 with `standard`, 0.23 with `compact`).
GHOST_PERCENT: Final = 46.0
# Below this probability of a live face, by the view around it, the texture network looks at every square.
SURELY_LIVE: Final = 0.82


@dataclass(frozen=True, eq=False, repr=False)
class Examination(BriefRepr):
    """One photo, its faces, and the analyses that several checks share.

    Each cached property is computed once, when the first check reads it. One thread uses one examination.

    Attributes:
        photo: the decoded photo.
        role: purpose of the photo.
        faces: faces found, largest first. On a card, the largest faces that could be a second person have embeddings,
            to distinguish a ghost portrait from a second person.
        networks: the optional networks in use.
        calibration: calibration curve of the recogniser that embedded the faces.
        ghost_percent: similarity to the portrait from which a further face on a card is its ghost portrait, in percent.
    """

    photo: Photo
    role: Role
    faces: tuple[Face, ...]
    networks: Networks = field(default_factory=Networks)
    calibration: Calibration = GENERIC
    ghost_percent: float = GHOST_PERCENT

    @property
    def face(self) -> Face | None:
        """The face that is compared: the largest one."""
        return self.faces[0] if self.faces else None

    @cached_property
    def head_crop(self) -> Pixels | None:
        """The compared face with hair and chin, upright, eyes 24 pixels apart: 112x112x3 uint8 BGR, or None."""
        return occlusion_crop(self.photo.pixels, self.face) if self.face else None

    @cached_property
    def face_luminance(self) -> NDArray[np.float64] | None:
        """Histogram of the luminance of the compared face, brow to chin: (256,) float64 with the sum 1, or None."""
        crop = self.head_crop
        return None if crop is None else histogram(luminance(crop), face_ellipse())

    @cached_property
    def face_grey(self) -> NDArray[np.float32] | None:
        """The box of the compared face, HxW float32 grey, 0 to 255, eyes at most 48 pixels apart; None without one."""
        import cv2

        if self.face is None or not (part := box_part(self.photo.pixels, self.face)).size:
            return None
        grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        scale = FACE_GREY_EYE_DISTANCE / max(self.face.inter_eye_distance, 1.0)
        return (scaled(grey, scale) if scale < 1 else grey).astype(np.float32)

    @cached_property
    def document(self) -> Document:
        """Evidence of print and edges for a document around the compared face, and its corners."""
        return find_document(self.photo.pixels, self.face)

    @cached_property
    def document_scores(self) -> DocumentScores | None:
        """Document network's scores of the photo; None without that network."""
        return None if self.networks.document is None else self.networks.document.predict(self.photo.pixels, self.face)

    @cached_property
    def closer_document_scores(self) -> DocumentScores | None:
        """Document network's scores on a tighter crop around the likely document; None without that network."""
        scores, network = self.document_scores, self.networks.document
        return None if scores is None or network is None else network.look(self.photo.pixels, closer(scores))

    @cached_property
    def document_outline(self) -> NDArray[np.float32] | None:
        """Corners of the document in the document network's map, (4, 2) float32 in pixels of the photo.

        The order is that of `Document.corners`. None without that network, or if its map shows no document.
        """
        return None if self.document_scores is None else outline(self.document_scores, self.face)

    @cached_property
    def document_corners(self) -> NDArray[np.float32]:
        """Corners of the document, (4, 2) float32 in pixels of the photo, in the order of `Document.corners`.

        From the document network if its map shows a document, else from print and edges.
        """
        return self.document.corners if self.document_outline is None else self.document_outline

    @cached_property
    def recompression(self) -> Recompression | None:
        """JPEG compressions that the document shows; None without a face, or with too few pixels."""
        return (
            None if self.face is None else find_recompression(self.photo.pixels, self.document_corners, self.face.box)
        )

    @cached_property
    def occlusion(self) -> OcclusionScores | None:
        """Occlusion network's scores of the compared face; None without that network or a face."""
        if self.head_crop is None or self.networks.occlusion is None:
            return None
        return self.networks.occlusion.predict(self.head_crop)

    @cached_property
    def period(self) -> float | None:
        """The strongest period at the compared face, natural logarithm; None without a face or with too few pixels."""
        return None if self.face is None else period_of(self.photo.pixels, self.face.box)

    @cached_property
    def recapture(self) -> RecaptureScores | None:
        """Recapture network's scores of the compared face; None without that network or a face."""
        if self.face is None or self.networks.recapture is None:
            return None
        return self.networks.recapture.predict(recapture_crop(self.photo.pixels, self.face.box), self.period)

    @cached_property
    def texture(self) -> float | None:
        """Texture network's logit of a recapture; None without that network or a face, or with too few pixels."""
        if self.face is None or self.networks.texture is None:
            return None
        thorough = self.recapture is None or self.recapture.live < SURELY_LIVE
        return self.networks.texture.predict(self.photo.pixels, self.face.box, thorough=thorough)
