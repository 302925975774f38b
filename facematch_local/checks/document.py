"""Whether image 1 is a photo of a document (code 1)."""

from __future__ import annotations

from typing import Final

from facematch_local.checks.check import NO_NETWORK, Measure
from facematch_local.checks.examination import Examination
from facematch_local.checks.logits import expit, logit

# Between these probabilities the network's answer is uncertain. It then also scores a tighter crop, and the evidence of
# print and edges counts. That evidence supports documents too small for the network, and costs more time than it.
_UNSURE: Final = (0.1, 0.95)
# Weight of a unit of that evidence in the sum of the logits of both scores, and its largest value (chosen on the
# development split).
_WEIGHT: Final = 3.0
_MOST: Final = 1.5


def document(examination: Examination) -> Measure:
    """Probability, 0 to 1, that the photo shows a document.

    The result is the document network's probability. If that is uncertain, it is the mean of the logits for the photo
    and for a tighter crop, with the evidence of print and edges added to their sum
    (`documents.find.find_document`).
    """
    scores = examination.document_scores
    if scores is None:
        return Measure.not_assessed(NO_NETWORK)
    if not _UNSURE[0] < scores.document < _UNSURE[1]:
        return Measure(scores.document)
    near = examination.closer_document_scores or scores
    printed = _WEIGHT * min(examination.document.evidence, _MOST)
    return Measure(expit((logit(scores.document) + printed + logit(near.document)) / 2))
