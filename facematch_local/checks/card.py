"""Is the photo of image 1 one of a document at all (code 1)."""

from __future__ import annotations

from facematch_local.checks.base import Measure, Subject


def document(subject: Subject) -> Measure:
    """Evidence for a document: lines of text, and edges in the proportions of a card; 0 (none) upwards.

    See `document.find_document` for what is counted. 1.0 is as much as a document shows at least.
    """
    return Measure(subject.document.evidence)
