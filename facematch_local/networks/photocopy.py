"""The photocopy network: whether a document is a grey copy.

Convention `copy-1`:

Input `portrait`, uint8 (N, 96, 96, 3), BGR: the portrait on a document and its surroundings, warped by the similarity
transform (least squares, Umeyama 1991) that maps the five landmarks to `PHOTOCOPY_TEMPLATE`. The eyes are 15.5 pixels
apart, so the crop is 6.2 inter-eye distances wide. Outside the photo its border pixels are repeated.
Output `scores`, float32 (N, 1): probability that the document is a grey copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from facematch_local.faces.alignment import ARCFACE_TEMPLATE
from facematch_local.imaging.photo import Pixels
from facematch_local.networks.base import Network, aligned

if TYPE_CHECKING:
    from facematch_local.faces import Face


PHOTOCOPY_SIZE: Final = 96
# The ArcFace template scaled by 0.44; the mean of x at 48, the eyes at y = 41.
PHOTOCOPY_TEMPLATE: Final[tuple[tuple[float, float], ...]] = tuple(
    (0.44 * (x - 56.03) + 48.0, 0.44 * (y - 51.6) + 41.0) for x, y in ARCFACE_TEMPLATE
)


class PhotocopyNetwork(Network):
    """Scores whether a document is a grey copy. Safe to share between threads."""

    TASK = "photocopy"
    CONVENTION = "copy-1"
    CROPS: ClassVar[Mapping[str, int]] = {"portrait": PHOTOCOPY_SIZE}
    GIVES: ClassVar[Mapping[str, list[int]]] = {"scores": [1]}

    def predict(self, crop: Pixels) -> float:
        """Probability, 0 to 1, of a grey copy for a 96x96x3 uint8 BGR crop from `photocopy_crop`: one forward pass."""
        (scores,) = self._session.run(["scores"], {"portrait": crop[None]})
        return float(scores[0, 0])


def photocopy_crop(pixels: Pixels, face: Face) -> Pixels:
    """The crop of convention `copy-1`: 96x96x3 uint8 BGR from an HxWx3 uint8 BGR photo."""
    return aligned(pixels, face, PHOTOCOPY_TEMPLATE, PHOTOCOPY_SIZE)
