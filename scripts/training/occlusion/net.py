"""The occlusion network: 3x3 convolutions, read out by mean, by maximum and by place."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from scripts.training.common.units import trunk


class OcclusionNet(nn.Module):
    """uint8 [B,112,112,3] BGR to four logits: sunglasses, clear glasses, mask, head covering."""

    INPUTS = ("face",)
    OUTPUT = "scores"
    CONVENTION = "occlusion-1"

    def __init__(self, widths: tuple[int, ...] = (16, 24, 40, 80), depths: tuple[int, ...] = (1, 1, 2, 2)) -> None:
        super().__init__()
        self.trunk = trunk(widths, depths)
        # The position on the aligned face tells coverings apart, so the 7x7 places are kept.
        self.squeeze = nn.Conv2d(widths[-1], 16, 1)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(2 * widths[-1] + 16 * 49, 4)

    def forward(self, face: Tensor) -> Tensor:
        x = self.trunk((face.permute(0, 3, 1, 2).float() - 127.5) / 64)
        places = functional.relu(self.squeeze(x)).flatten(1)
        return self.out(self.drop(torch.cat([x.mean((2, 3)), x.amax((2, 3)), places], dim=1)))

    @staticmethod
    def outputs(logits: Tensor) -> Tensor:
        """Each by itself."""
        return logits.sigmoid()
