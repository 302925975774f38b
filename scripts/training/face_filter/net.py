"""The face filter: a small net that looks once more at what the detector took for a face."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from scripts.training.common.units import trunk


class FaceFilterNet(nn.Module):
    """uint8 [B,64,64,3] BGR to one logit, of a face.

    With the detector's confidence [B,1] as well, the logit of both together: `joint` [3] holds what is added, and the
    weights of the detector's logit and of this net's. They are fitted after the training.
    """

    INPUTS = ("face", "detector")
    OUTPUT = "scores"
    CONVENTION = "confirmation-1"

    def __init__(self, widths: tuple[int, ...] = (16, 32, 48, 80), depths: tuple[int, ...] = (1, 2, 2, 2)) -> None:
        super().__init__()
        self.trunk = trunk(widths, depths)
        self.squeeze = nn.Conv2d(widths[-1], 16, 1)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(2 * widths[-1] + 16 * 16, 1)
        self.register_buffer("joint", torch.tensor([0.0, 0.0, 1.0]), persistent=False)

    def forward(self, face: Tensor, detector: Tensor | None = None) -> Tensor:
        x = self.trunk((face.permute(0, 3, 1, 2).float() - 127.5) / 64)
        places = functional.relu(self.squeeze(x)).flatten(1)
        logit: Tensor = self.out(self.drop(torch.cat([x.mean((2, 3)), x.amax((2, 3)), places], dim=1)))
        if detector is None:
            return logit
        kept = detector.clamp(1e-4, 1 - 1e-4)
        return self.joint[0] + self.joint[1] * (kept / (1 - kept)).log() + self.joint[2] * logit

    @staticmethod
    def outputs(logits: Tensor) -> Tensor:
        """The exported output: probability of a face [B,1]."""
        return logits.sigmoid()
