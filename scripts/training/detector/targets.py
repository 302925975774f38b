"""Which anchor answers for which face, and the losses that teach it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scripts.training.common.canvas import Faces
from scripts.training.common.image import Array
from scripts.training.detector.net import PER_ANCHOR, SLOTS, STRIDES

SHARED = 1.12  # faces this factor beyond a slot's range are still taught to it, so that no size falls between two
IGNORED = 1.35  # and this far they are neither face nor background there
SPREAD = 0.13  # of the face size: how fast the score falls off around the face's centre
POSITIVE = 0.3  # score target from which boxes and points are taught
CHANNELS = PER_ANCHOR + 2  # score target, its weight, regression weight, 4 distances, 10 offsets


def targets(faces: Faces, size: int) -> list[Array]:
    """Per stride float32 [2, CHANNELS, size/s, size/s]; distances and offsets in strides, as the net puts them out."""
    maps = []
    for stride, slots in zip(STRIDES, SLOTS, strict=True):
        side = size // stride
        out = np.zeros((2, CHANNELS, side, side), np.float32)
        out[:, 1] = 1
        grid = np.arange(side, dtype=np.float32) * stride
        for anchor, (low, high, _) in enumerate(slots):
            for index in range(len(faces)):
                extent, box = float(faces.sizes[index]), faces.boxes[index]
                if not low / IGNORED <= extent <= high * IGNORED:
                    continue
                if faces.ignore[index] or not low / SHARED <= extent <= high * SHARED:
                    columns = (grid > box[0]) & (grid < box[2])
                    rows = (grid > box[1]) & (grid < box[3])
                    out[anchor, 1][np.ix_(rows, columns)] = 0
            for index in range(len(faces)):
                extent = float(faces.sizes[index])
                if faces.ignore[index] or not low / SHARED <= extent <= high * SHARED:
                    continue
                _teach(out[anchor], faces, index, grid, stride)
        maps.append(out)
    return maps


def _teach(out: Array, faces: Faces, index: int, grid: Array, stride: int) -> None:
    box, points = faces.boxes[index], faces.points[index]
    x, y = faces.centres[index]
    sigma = max(SPREAD * float(faces.sizes[index]), 0.5 * stride)
    squared = (grid[None] - x) ** 2 + (grid[:, None] - y) ** 2
    # The nearest anchor always answers in full, however the face lies between the grid's points.
    score = np.exp((squared.min() - squared) / (2 * sigma**2))
    chosen = (score > POSITIVE) & (score > out[0])
    weight = score[chosen] / np.sqrt(score[score > POSITIVE].sum())
    rows, columns = np.nonzero(chosen)
    at = np.stack([grid[columns], grid[rows]], axis=1)
    out[1] = np.where(score > 0.05, np.maximum(out[1], 1), out[1])
    out[0] = np.maximum(out[0], score)
    out[2][chosen] = weight
    out[3:5, chosen] = (at - box[:2]).T / stride
    out[5:7, chosen] = (box[2:] - at).T / stride
    out[7:, chosen] = ((points[None] - at[:, None]) / stride).reshape(len(at), 10).T


def losses(outputs: list[Tensor], wanted: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Score (quality focal), box (DIoU) and point losses, each summed over anchors and divided by their weight."""
    score_loss = box_loss = point_loss = outputs[0].new_zeros(())
    answers = weights = outputs[0].new_zeros(())
    for raw, target in zip(outputs, wanted, strict=True):
        batch, _, height, width = raw.shape
        raw = raw.float().view(batch, 2, PER_ANCHOR, height, width)
        logit, score = raw[:, :, 0], target[:, :, 0]
        focus = (logit.sigmoid() - score).square()
        score_loss = (
            score_loss
            + (
                functional.binary_cross_entropy_with_logits(logit, score, reduction="none") * focus * target[:, :, 1]
            ).sum()
        )
        answers = answers + (score * (score > POSITIVE)).sum()
        chosen = target[:, :, 2] > 0
        weight = target[:, :, 2][chosen]
        if not len(weight):
            continue
        found, want = raw.permute(0, 1, 3, 4, 2)[chosen][:, 1:], target.permute(0, 1, 3, 4, 2)[chosen][:, 3:]
        box_loss = box_loss + (weight * (1 - diou(found[:, :4], want[:, :4]))).sum()
        extent = (want[:, 0] + want[:, 2]).mul(want[:, 1] + want[:, 3]).clamp(min=1e-3).sqrt()[:, None]
        offset = functional.smooth_l1_loss(found[:, 4:] / extent, want[:, 4:] / extent, reduction="none", beta=0.02)
        point_loss = point_loss + (weight * offset.mean(1)).sum()
        weights = weights + weight.sum()
    return score_loss / answers.clamp(min=1), box_loss / weights.clamp(min=1), point_loss / weights.clamp(min=1)


def diou(found: Tensor, want: Tensor) -> Tensor:
    """Distance-IoU (Zheng et al. 2020) of boxes given as distances left, top, right, bottom from the same points."""
    shared = torch.minimum(found, want)
    overlap = (shared[:, 0] + shared[:, 2]).clamp(min=0) * (shared[:, 1] + shared[:, 3]).clamp(min=0)
    area_found = (found[:, 0] + found[:, 2]).clamp(min=0) * (found[:, 1] + found[:, 3]).clamp(min=0)
    area_want = (want[:, 0] + want[:, 2]) * (want[:, 1] + want[:, 3])
    union = (area_found + area_want - overlap).clamp(min=1e-6)
    hull = torch.maximum(found, want)
    diagonal = ((hull[:, 0] + hull[:, 2]).square() + (hull[:, 1] + hull[:, 3]).square()).clamp(min=1e-6)
    shift = (found[:, 2:] - found[:, :2] - want[:, 2:] + want[:, :2]) / 2
    return overlap / union - shift.square().sum(1) / diagonal
