"""The landmark network: 3x3 convolutions, read out by place."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from facematch_local.networks.landmarks import LANDMARK_SIZE, LANDMARK_TEMPLATE
from scripts.training.common.units import trunk


class LandmarkNet(nn.Module):
    """uint8 [B,80,80,3] BGR to five points, as [B,10] offsets from LANDMARK_TEMPLATE in template eye distances."""

    INPUTS = ("face",)
    OUTPUT = "points"
    CONVENTION = "landmarks-1"

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 96), depths: tuple[int, ...] = (1, 2, 2, 2)) -> None:
        super().__init__()
        self.trunk = trunk(widths, depths)
        self.squeeze = nn.Conv2d(widths[-1], 32, 1)
        self.hidden = nn.Linear(32 * (LANDMARK_SIZE // 16) ** 2, 128)
        self.out = nn.Linear(128, 10)
        self.register_buffer("template", torch.tensor(LANDMARK_TEMPLATE), persistent=False)
        self.unit = float((self.template[1] - self.template[0]).norm())

    def forward(self, face: Tensor) -> Tensor:
        x = self.trunk((face.permute(0, 3, 1, 2).float() - 127.5) / 64)
        x = functional.relu(self.squeeze(x)).flatten(1)
        return self.out(functional.relu(self.hidden(x)))

    def outputs(self, offsets: Tensor) -> Tensor:
        """The exported output: points [B,5,2] in pixels of the crop."""
        return self.template + offsets.unflatten(1, (5, 2)) * self.unit
