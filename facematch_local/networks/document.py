"""The document network: whether a photo shows a document, and where.

Convention `document-1`:

Input `view`, uint8 (N, 192, 192, 3), BGR: the square of 36 inter-eye distances around the face, which contains a card
on whichever side the face is; the whole photo if it has no face. The part of the square inside the photo is scaled to
192x192 regardless of its proportions, so that the view shows only photo. If the scores of this view are uncertain, a
second view shows the part with the largest sum of the map, scaled in the same way.
Output `scores`, float32 (N, 1): probability that the view shows a document.
Output `map`, float32 (N, 24, 24): by row and column, probability that this cell of the view belongs to a document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from facematch_local.imaging.photo import Pixels
from facematch_local.imaging.resampling import averaged
from facematch_local.networks.base import Network, resized

if TYPE_CHECKING:
    from facematch_local.faces import Face


DOCUMENT_SIZE, DOCUMENT_PLACES, DOCUMENT_SCALE = 192, 24, 36.0
Window = tuple[int, int, int, int]  # part of a photo: left, top, right and bottom in pixels


@dataclass(frozen=True, slots=True, eq=False)
class DocumentScores:
    """Scores of one view.

    Attributes:
        document: probability, 0 to 1, that the view shows a document.
        places: (24, 24) float32, probability, 0 to 1, that this cell of `window` belongs to a document.
        window: the part of the photo that the view shows.
    """

    document: float
    places: NDArray[np.float32]
    window: Window


class DocumentNetwork(Network):
    """Scores the presence and position of a document. Safe to share between threads."""

    TASK = "document"
    CONVENTION = "document-1"
    CROPS: ClassVar[Mapping[str, int]] = {"view": DOCUMENT_SIZE}
    GIVES: ClassVar[Mapping[str, list[int]]] = {"scores": [1], "map": [DOCUMENT_PLACES, DOCUMENT_PLACES]}

    def predict(self, pixels: Pixels, face: Face | None) -> DocumentScores:
        """Score an HxWx3 uint8 BGR photo, around `face` if it has one: one forward pass."""
        return self.look(pixels, document_window(pixels, face))

    def look(self, pixels: Pixels, window: Window) -> DocumentScores:
        """Score a part of an HxWx3 uint8 BGR photo: one forward pass."""
        scores, places = self._session.run(["scores", "map"], {"view": _squeezed(pixels, window)[None]})
        return DocumentScores(float(scores[0, 0]), places[0], window)


def document_view(pixels: Pixels, face: Face | None) -> Pixels:
    """The view of convention `document-1`: 192x192x3 uint8 BGR from an HxWx3 uint8 BGR photo."""
    return _squeezed(pixels, document_window(pixels, face))


def document_window(pixels: Pixels, face: Face | None) -> Window:
    """The part of an HxWx3 photo that `document_view` shows."""
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
    view = pixels[top:bottom, left:right]
    if (factor := min(view.shape[:2]) // DOCUMENT_SIZE) > 1:  # halving is several times faster than any other scale
        view, _ = averaged(view, 1 << factor.bit_length() - 1)
    return resized(view, DOCUMENT_SIZE)
