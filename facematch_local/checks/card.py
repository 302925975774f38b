"""Is the photo of image 1 one of a document at all (code 1)."""

from __future__ import annotations

import math
from typing import Final

from facematch_local.checks.base import CLASSICAL, HEAD, Measure, Subject

# Where the head is less sure than this, it looks closer at what may be a document, and print and edges are looked for
# as well: they speak for a document that it sees too small to read, and cost more time than the head.
_UNSURE: Final = (0.1, 0.95)
# What a unit of that evidence adds to the sum of the logits of both looks, and how much of it counts (tuned half).
_WEIGHT: Final = 2.0
_MOST: Final = 1.5


def document(subject: Subject) -> Measure:
    """How much speaks for a document.

    With a document head: a probability, 0 to 1, by the head and, where that is unsure, by a closer look of it and by
    print and edges as well (the mean of both logits, what was printed added to their sum). Without one: lines of text
    and edges in the proportions of a card, 0 (none) upwards; 1.0 is as much as a document shows at least, see
    `document.find_document`.
    """
    scores = subject.document_scores
    if scores is None:
        return Measure(subject.document.evidence, method=CLASSICAL)
    if not _UNSURE[0] < scores.document < _UNSURE[1]:
        return Measure(scores.document, method=HEAD)
    near = subject.closer_document_scores or scores
    printed = _WEIGHT * min(subject.document.evidence, _MOST)
    logit = (_logit(scores.document) + printed + _logit(near.document)) / 2
    return Measure(1 / (1 + math.exp(-logit)), method=HEAD)


def _logit(probability: float) -> float:
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))
