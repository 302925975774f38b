"""Is the photo of image 1 one of a document at all (code 1)."""

from __future__ import annotations

from facematch_local.checks.base import CLASSICAL, HEAD, Measure, Subject


def document(subject: Subject) -> Measure:
    """How much speaks for a document.

    With a document head: its probability, 0 to 1. Without one: lines of text and edges in the proportions of a card, 0
    (none) upwards; 1.0 is as much as a document shows at least, see `document.find_document`.
    """
    scores = subject.document_scores
    if scores is not None:
        return Measure(scores.document, method=HEAD)
    return Measure(subject.document.evidence, method=CLASSICAL)
