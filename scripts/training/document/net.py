"""The document network: 3x3 convolutions that decide whether a photo shows a document, and where."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from facematch_local.networks.document import DOCUMENT_PLACES
from scripts.training.common.units import ConvUnit, trunk


class DocumentNet(nn.Module):
    """uint8 [B,192,192,3] BGR to logits [B,2+24*24]: of a document, of it being a grey copy, and of each place."""

    INPUTS = ("view",)
    OUTPUT = ("scores", "map")
    CONVENTION = "document-1"

    def __init__(
        self, widths: tuple[int, ...] = (12, 24, 40, 64, 80), depths: tuple[int, ...] = (1, 1, 2, 2, 2)
    ) -> None:
        super().__init__()
        self.fine = trunk(widths[:3], depths[:3])
        coarse = []
        for index in (3, 4):
            coarse.append(trunk(widths[index : index + 1], depths[index : index + 1], widths[index - 1]))
        self.middle, self.coarse = coarse
        self.down = nn.Conv2d(widths[4], 48, 1)
        self.across = nn.Conv2d(widths[3], 48, 1)
        self.out_across = nn.Conv2d(48, 32, 1)
        self.out_fine = nn.Conv2d(widths[2], 32, 1)
        self.joined = ConvUnit(32, 32)
        self.map = nn.Conv2d(32, 1, 1)
        self.drop = nn.Dropout(0.2)
        self.score = nn.Linear(2 * widths[4] + 2 * widths[2] + 1, 2)

    def forward(self, view: Tensor) -> Tensor:
        fine = self.fine((view.permute(0, 3, 1, 2).float() - 127.5) / 64)  # 24x24
        middle = self.middle(fine)  # 12x12
        coarse = self.coarse(middle)  # 6x6
        x = functional.relu(self.across(middle) + functional.interpolate(self.down(coarse), scale_factor=2.0))
        x = functional.relu(self.out_fine(fine) + functional.interpolate(self.out_across(x), scale_factor=2.0))
        places = self.map(self.joined(x))
        share = places.sigmoid()
        # What the places taken for document look like, and how much of the view they are.
        inside = (fine * share).sum((2, 3)) / (share.sum((2, 3)) + 1)
        # How they differ among each other: a grey copy is of one colour, that of the light.
        square = (fine * fine * share).sum((2, 3)) / (share.sum((2, 3)) + 1)
        spread = (square - inside * inside).clamp(min=0).add(1e-4).sqrt()
        parts = [coarse.mean((2, 3)), coarse.amax((2, 3)), inside, spread, share.mean((2, 3))]
        return torch.cat([self.score(self.drop(torch.cat(parts, dim=1))), places.flatten(1)], dim=1)

    @staticmethod
    def outputs(logits: Tensor) -> tuple[Tensor, Tensor]:
        """Probabilities: [B,1] of a document, and by place [B,24,24]; copies are only learned beside it."""
        said = logits.sigmoid()
        return said[:, :1], said[:, 2:].unflatten(1, (DOCUMENT_PLACES, DOCUMENT_PLACES))
