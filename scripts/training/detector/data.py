"""Batches of training pictures, composed on the fly.

A batch is a pure function of (seed, index): training can stop and go on anywhere and sees the same pictures.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from scripts.training.common.compose import Pool, compose
from scripts.training.detector.targets import targets

Sizes = tuple[tuple[int, int, float], ...]
# (side in pixels, pictures per batch, share of the batches): about equal work per batch.
SIZES: Sizes = ((256, 16, 0.55), (384, 7, 0.2), (640, 3, 0.25))


class Batches(Dataset[tuple[Tensor, list[Tensor]]]):
    """Batch `index`: pictures uint8 [B,3,S,S] (RGB) and target maps per stride [B,2,CHANNELS,S/s,S/s]."""

    def __init__(self, pool: Pool, seed: int, length: int, lean: float = 1.0, sizes: Sizes = SIZES) -> None:
        self._pool, self._seed, self._length, self._lean, self._sizes = pool, seed, length, lean, sizes

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> tuple[Tensor, list[Tensor]]:
        rng = np.random.default_rng([self._seed, index])
        size, count, _ = self._sizes[rng.choice(len(self._sizes), p=[share for _, _, share in self._sizes])]
        pictures, maps = [], []
        for _ in range(count):
            pixels, faces = compose(rng, self._pool, size, self._lean)
            pictures.append(np.ascontiguousarray(pixels[..., ::-1].transpose(2, 0, 1)))
            maps.append(targets(faces, size))
        wanted = [torch.from_numpy(np.stack(level)) for level in zip(*maps, strict=True)]
        return torch.from_numpy(np.stack(pictures)), wanted
