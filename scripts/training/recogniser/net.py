"""The recogniser: stages of dense 3x3 convolutions, which CPUs run near their peak, in training as well.

Between the stages lie maps that are taught one by one (see train.py): each stage is shallow, and what it has to do with
a patch of a face it learns from every patch of every picture, whoever is in it. Taught by the embedding alone, the same
amount of network learned the training people by heart.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from scripts.training.common.units import ConvUnit

EMBEDDING = 256
# Crops come as ArcFace has them; the part from LEFT, TOP that is REGION wide is looked at in LOOK pixels. That part is
# what the teacher sees in its own alignment, and LOOK is enough: the teacher reaches as much on crops reduced to it.
CROP, LEFT, TOP, REGION, LOOK = 112, 3, 4, 106, 96


@dataclass(frozen=True)
class StageShape:
    """Widths and strides of a stage's 3x3 convolutions, and channels of the map that it gives."""

    widths: tuple[int, ...]
    strides: tuple[int, ...]
    outputs: int


STAGES = (
    StageShape((32, 64, 64, 64), (2, 2, 1, 1), 64),  # to 24x24
    StageShape((128, 128, 128), (2, 1, 1), 128),  # to 12x12
    StageShape((128, 128, 128), (1, 1, 1), 128),
    StageShape((192, 192, 192, 192), (2, 1, 1, 1), 128),  # to 6x6
)
GRIDS = (24, 12, 12, 6)
HEAD_WIDTH, GATE_SHARE = 512, 8


class Gate(nn.Module):
    """Channels weighted by what the whole picture shows (squeeze and excitation, Hu et al. 2018)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(width, width // GATE_SHARE)
        self.excite = nn.Linear(width // GATE_SHARE, width)

    def forward(self, x: Tensor) -> Tensor:
        gains = torch.sigmoid(self.excite(functional.relu(self.squeeze(x.mean((2, 3))))))
        return x * gains[:, :, None, None]


class Stage(nn.Module):
    """Convolutions, a gate, and a linear projection to the map."""

    def __init__(self, inputs: int, shape: StageShape) -> None:
        super().__init__()
        ends = (inputs, *shape.widths)
        self.units = nn.Sequential(*(ConvUnit(*e) for e in zip(ends[:-1], ends[1:], shape.strides, strict=True)))
        self.gate = Gate(shape.widths[-1])
        self.project = nn.Conv2d(shape.widths[-1], shape.outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.gate(self.units(x)))


def looked_at(x: Tensor) -> Tensor:
    """The crop [B,3,112,112] as the first stage sees it [B,3,96,96]."""
    part = x[:, :, TOP : TOP + REGION, LEFT : LEFT + REGION]
    return functional.interpolate(part, size=(LOOK, LOOK), mode="bilinear", align_corners=False)


class Recogniser(nn.Module):
    """[B,3,112,112] RGB in (x-127.5)/127.5 to embeddings [B,256], not normalised."""

    def __init__(self, shapes: tuple[StageShape, ...] = STAGES) -> None:
        super().__init__()
        ends = (3, *(shape.outputs for shape in shapes))
        self.stages = nn.ModuleList(Stage(inputs, shape) for inputs, shape in zip(ends[:-1], shapes, strict=True))
        self.widen = ConvUnit(ends[-1], HEAD_WIDTH, size=1)
        self.pool = nn.Conv2d(HEAD_WIDTH, HEAD_WIDTH, GRIDS[-1], groups=HEAD_WIDTH, bias=False)
        self.pool_norm = nn.BatchNorm2d(HEAD_WIDTH)
        self.embed = nn.Linear(HEAD_WIDTH, EMBEDDING)

    def forward(self, x: Tensor) -> Tensor:
        x = looked_at(x)
        for stage in self.stages:
            x = stage(x)
        return self.head(x)

    def head(self, x: Tensor) -> Tensor:
        return self.embed(self.pool_norm(self.pool(self.widen(x))).flatten(1))

    def taught(self, x: Tensor, wanted: list[Tensor], forced: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Embeddings and every stage's map; where `forced` [stages,B], the next stage gets the wanted map instead."""
        x = looked_at(x)
        maps = []
        for stage, want, force in zip(self.stages, wanted, forced, strict=True):
            maps.append(stage(x))
            x = torch.where(force[:, None, None, None], want.to(maps[-1].dtype), maps[-1])
        return self.head(x), maps
