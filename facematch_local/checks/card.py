"""Is the photo of image 1 one of a document at all (code 1)."""

from __future__ import annotations

from typing import Final

from facematch_local.checks.base import Measure, Subject

# What each kind of evidence is worth; 1 is as much as a document shows at least. Beside a face, six inter-eye
# distances of text are half a line of print on an ID-1 card and more than anything but print was seen to give;
# a box seen on all sides is not quite enough by itself, because window frames and collages are boxes too.
_TEXT: Final = 6.0
_TEXT_WITHOUT_FACE: Final = 14.0
_EDGES_FROM: Final = 2.8
_EDGES: Final = 1.35


def document(subject: Subject) -> Measure:
    """Evidence for a document: lines of text, and edges in the proportions of a card; 0 (none) upwards.

    See `document.find_document` for what is counted. 1.0 is as much as a document shows at least.
    """
    found = subject.document
    text = found.text / (_TEXT if subject.face else _TEXT_WITHOUT_FACE)
    return Measure(text + max(found.edges - _EDGES_FROM, 0.0) / _EDGES)
