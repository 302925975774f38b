"""The photocopy network: the colours of a portrait and its surroundings, less the colour of the light."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from facematch_local.networks.photocopy import PHOTOCOPY_SIZE
from scripts.training.common.units import trunk

DARKEST = 10.0  # grey levels added before the logarithm, so that noise in the dark is not taken for colour
MIDDLE = slice(PHOTOCOPY_SIZE // 4, PHOTOCOPY_SIZE - PHOTOCOPY_SIZE // 4)


class PhotocopyNet(nn.Module):
    """uint8 [B,96,96,3] BGR to one logit: of the document being a grey copy."""

    INPUTS = ("portrait",)
    OUTPUT = "scores"
    CONVENTION = "copy-1"

    def __init__(self, widths: tuple[int, ...] = (20, 32, 48, 64), depths: tuple[int, ...] = (1, 1, 2, 2)) -> None:
        super().__init__()
        self.trunk = trunk(widths, depths, 4)
        self.weight = nn.Conv2d(widths[-1], 4, 1)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(2 * widths[-1] + 8 * widths[-1], 1)

    def forward(self, portrait: Tensor) -> Tensor:
        pixels = portrait.permute(0, 3, 1, 2).float()
        levels = (pixels + DARKEST).log()
        # Blue and red against green, and against what they are in the middle: the light's colour drops out.
        ratios = levels[:, [0, 2]] - levels[:, 1:2]
        ratios = ratios - ratios[:, :, MIDDLE, MIDDLE].mean((2, 3), keepdim=True)
        saturated = (pixels.amax(1, keepdim=True) - 245).clamp(min=0) / 10
        x = self.trunk(torch.cat([levels[:, 1:2] - 4.5, 6 * ratios, saturated], dim=1))
        # Four regions of its own choice (the portrait, the ground, the print), by mean and spread of what is in them.
        regions = self.weight(x).flatten(2).softmax(2).transpose(1, 2)
        places = x.flatten(2)
        means = places @ regions
        spreads = (places * places @ regions - means * means).clamp(min=0).add(1e-4).sqrt()
        parts = [x.mean((2, 3)), x.amax((2, 3)), means.flatten(1), spreads.flatten(1)]
        return self.out(self.drop(torch.cat(parts, dim=1)))

    @staticmethod
    def outputs(logits: Tensor) -> Tensor:
        """As a probability."""
        return logits.sigmoid()
