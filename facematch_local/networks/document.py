"""Whether a photo shows a document, and where.

Convention `document-1`:

Input `view`, uint8 (N, 192, 192, 3): of a photo with a face the square of 36 inter-eye distances around it, which
holds a card on whichever side of it the face is; of one without a face all of it. The part of the square that lies
in the photo is squeezed to 192x192, so that nothing but photo is seen. Where that leaves it unsure, a second view
is of the part in which the map shows most, squeezed as well.
Output `scores`, float32 (N, 1): probability that it shows a document.
Output `map`, float32 (N, 24, 24): by place, probability that it is part of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.photo import Pixels
from facematch_local.networks.base import Network, resized

if TYPE_CHECKING:
    from facematch_local.faces import Face


DOCUMENT_SIZE, DOCUMENT_PLACES, DOCUMENT_SCALE = 192, 24, 36.0
Window = tuple[int, int, int, int]  # part of a photo: left, top, right and bottom in pixels


@dataclass(frozen=True, slots=True, eq=False)
class DocumentScores:
    """Whether a photo shows a document, and where.

    Attributes:
        document: probability, 0 to 1.
        places: (24, 24) float32, by row and column the probability, 0 to 1, that this part of `window` is document.
        window: what was looked at.
    """

    document: float
    places: NDArray[np.float32]
    window: Window


class DocumentNetwork(Network):
    """Scores a document and its place. Safe to share between threads."""

    TASK = "document"
    CONVENTION = "document-1"
    CROPS: ClassVar[Mapping[str, int]] = {"view": DOCUMENT_SIZE}
    GIVES: ClassVar[Mapping[str, list[int]]] = {"scores": [1], "map": [DOCUMENT_PLACES, DOCUMENT_PLACES]}

    def predict(self, pixels: Pixels, face: Face | None) -> DocumentScores:
        """Look at an HxWx3 uint8 BGR photo, around `face` where there is one: one forward pass."""
        return self.look(pixels, document_window(pixels, face))

    def look(self, pixels: Pixels, window: Window) -> DocumentScores:
        """Look at a part of an HxWx3 uint8 BGR photo: one forward pass."""
        scores, places = self._session.run(["scores", "map"], {"view": _squeezed(pixels, window)[None]})
        return DocumentScores(float(scores[0, 0]), places[0], window)


def document_view(pixels: Pixels, face: Face | None) -> Pixels:
    """The view of convention `document-1`: 192x192x3 uint8 BGR from an HxWx3 uint8 BGR photo."""
    return _squeezed(pixels, document_window(pixels, face))


def document_window(pixels: Pixels, face: Face | None) -> Window:
    """The part of a photo that `document_view` shows."""
    height, width = pixels.shape[:2]
    if face is None:
        return 0, 0, width, height
    half = DOCUMENT_SCALE * max(face.inter_eye_distance, 1.0) / 2
    x, y = (float(middle) for middle in face.eye_midpoint)
    left, top = (int(np.clip(v - half, 0, max(edge - 8, 0))) for v, edge in ((x, width), (y, height)))
    right, bottom = (int(np.clip(v + half, low + 8, edge)) for v, low, edge in ((x, left, width), (y, top, height)))
    return left, top, right, bottom


def _squeezed(pixels: Pixels, window: Window) -> Pixels:
    left, top, right, bottom = window
    return resized(pixels[top:bottom, left:right], DOCUMENT_SIZE)
