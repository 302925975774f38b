"""The recapture network: 3x3 convolutions for the picture, joined by the strongest period of the face."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scripts.training.common.units import trunk

FEATURES, PLACES = 128, 5  # of the last map of the trunk, PLACES each way
# What each unit of a period (ln) beyond the first number takes from the logit of live. Of the live photos of the
# training half 0.2 % reach 2.0, none of the live captures made of them 2.2.
PERIOD_FROM, PERIOD_WEIGHT = 2.1, 15.0


class RecaptureNet(nn.Module):
    """uint8 [B,80,80,3] BGR and the period [B,1] to logits of live, print and screen [B,3]."""

    INPUTS = ("wide", "period")
    OUTPUT = "scores"
    CONVENTION = "recapture-1"

    def __init__(self, widths: tuple[int, ...] = (16, 32, 48, 64), depths: tuple[int, ...] = (1, 2, 2, 1)) -> None:
        super().__init__()
        self.trunk = trunk(widths, depths)
        # What is where counts: each channel has weights of its own for the 5x5 places.
        self.places = nn.Conv2d(widths[-1], 2 * widths[-1], PLACES, groups=widths[-1])
        self.features = nn.Linear(3 * widths[-1], FEATURES)
        self.decision = nn.Linear(FEATURES, 3)

    def _features(self, x: Tensor) -> Tensor:
        features: Tensor = self.features(torch.cat([self.places(x).flatten(1), x.mean((2, 3))], dim=1))
        return features

    def forward(self, wide: Tensor, period: Tensor) -> Tensor:
        x = self.trunk((wide.permute(0, 3, 1, 2).float() - 127.5) / 64)
        logits = self.decision(self._features(x))
        live = logits[:, :1] - PERIOD_WEIGHT * (period - PERIOD_FROM).clamp(min=0)
        return torch.cat([live, logits[:, 1:]], dim=1)

    @staticmethod
    def outputs(logits: Tensor) -> Tensor:
        """They sum to one."""
        return logits.softmax(1)
