"""The occlusion network: sunglasses, clear glasses, masks and head coverings.

Convention `occlusion-1`:

Input `face`, uint8 (N, 112, 112, 3), BGR: the face warped by the similarity transform (least squares, Umeyama 1991)
that maps its five landmarks to `OCCLUSION_TEMPLATE`. The eyes are 24 pixels apart and slightly below the centre, so
that the crop contains a hat above the brow and the chin. Outside the photo its border pixels are repeated.
Output `scores`, float32 (N, 4): independent probabilities of sunglasses, clear glasses, mask, head covering.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from facematch_local.imaging.photo import Pixels
from facematch_local.networks.base import Network, aligned

if TYPE_CHECKING:
    from facematch_local.faces import Face


OCCLUSION_SIZE: Final = 112
# The ArcFace template (insightface.utils.face_align.arcface_dst, eyes 35.24 pixels apart) scaled to 24 pixels between
# the eyes; the mean of x at 56, the eyes at y = 60.
OCCLUSION_TEMPLATE: Final[tuple[tuple[float, float], ...]] = (
    (43.923, 60.066),
    (67.923, 59.934),
    (55.999, 73.716),
    (46.140, 87.766),
    (66.015, 87.656),
)


@dataclass(frozen=True, slots=True)
class OcclusionScores:
    """Probabilities, 0 to 1 each and independent: several may be high at once."""

    sunglasses: float
    clear_glasses: float
    mask: float
    head_covering: float


class OcclusionNetwork(Network):
    """Scores coverings of a face. Safe to share between threads."""

    TASK = "occlusion"
    CONVENTION = "occlusion-1"
    CROPS: ClassVar[Mapping[str, int]] = {"face": OCCLUSION_SIZE}
    GIVES: ClassVar[Mapping[str, list[int]]] = {"scores": [len(OcclusionScores.__slots__)]}

    def predict(self, crop: Pixels) -> OcclusionScores:
        """Score one face, a 112x112x3 uint8 BGR crop from `occlusion_crop`: one forward pass."""
        (scores,) = self._session.run(["scores"], {"face": crop[None]})
        sunglasses, clear_glasses, mask, head_covering = (float(score) for score in scores[0])
        return OcclusionScores(sunglasses, clear_glasses, mask, head_covering)


def occlusion_crop(pixels: Pixels, face: Face) -> Pixels:
    """The crop of convention `occlusion-1`: 112x112x3 uint8 BGR from an HxWx3 uint8 BGR photo."""
    return aligned(pixels, face, OCCLUSION_TEMPLATE, OCCLUSION_SIZE)
