"""det.onnx back to a network that can be taught on."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from scripts.training.common.unfold import norms_of, unfold, weights_of
from scripts.training.detector.export import SCORE_SHIFTS
from scripts.training.detector.net import PER_ANCHOR, Detector


def restored(path: Path, sample: Tensor) -> Detector:
    """The network whose export is `path`; `sample` [N,3,S,S] sets the norms, see `unfold`."""
    network, stored = Detector(), weights_of(path, "detector.")
    for level, shifts in enumerate(SCORE_SHIFTS):
        scale = getattr(network, f"scale{level}")
        stored[f"predict.{level}.weight"] /= scale.view(-1, 1, 1, 1)
        stored[f"predict.{level}.bias"] /= scale.view(-1)
        for anchor, shift in enumerate(shifts):
            stored[f"predict.{level}.bias"][anchor * PER_ANCHOR] += shift
    known = {name: value for name, value in stored.items() if name.partition(".")[0] in dict(network.named_children())}
    unfold(network, known, norms_of(network), sample)
    return network
