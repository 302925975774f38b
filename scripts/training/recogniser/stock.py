"""The stock of training samples: real faces and the morph shards made so far, drawn with set weights."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from augment import alignment, augment
from faces import SIDE, Faces, similarity
from morphs import SHARD, Maker, store
from net import CROP, LOOK
from people import Part, part_of
from teacher import INPUT, TEMPLATE, unit
from torch import Tensor

Array = np.ndarray[Any, Any]

MORPHS, ENOUGH = 0.65, 20_000  # share of stored morphs once there are enough; less, in proportion, before
FRESH = 20  # morphs made for each batch; a student this small still learns real faces by heart otherwise
KEPT = 100  # shards in memory, the oldest leave first
WEIGHTS = {"lfw": 1.0, "asian_faces": 2.5, "masks": 1.5, "sunglasses": 1.0, "scenes": 2.0, "groups": 2.0}
BANK, BANK_MORPHS = 6144, 2048  # faces a batch is compared with, of which morphs
PERSON = 0.35  # how far a target is moved towards the person's mean
CELLS = 8  # the teacher's last map is 8x8
MIRROR = [1, 0, 2, 4, 3]


@dataclass(frozen=True)
class Batch:
    """images [B,3,80,80]; the teacher's embeddings [B,256] and maps [B,128,8,8]; where its cells lie [B,8,8,2].

    `bank` [K,256]: the teacher's embeddings of other faces, which the student's are compared with.
    """

    images: Tensor
    embeddings: Tensor
    maps: Tensor
    cells: Tensor
    bank: Tensor


def to_input(crops: Array) -> Tensor:
    """BGR uint8 [B,S,S,3] to the network's input."""
    rgb = torch.from_numpy(np.ascontiguousarray(crops[..., ::-1])).permute(0, 3, 1, 2)
    return (rgb.float() - 127.5) / 127.5


def cropped(crop: Array, matrix: Array) -> Array:
    """The 112x112 crop."""
    return cv2.warpAffine(crop, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def plain(faces: Faces, rows: Array) -> Tensor:
    """Aligned faces [N,3,112,112] without augmentation."""
    return to_input(np.stack([cropped(faces.crops[r], alignment(faces.five[r], None)) for r in rows]))


def cell_grid(five: Array, matrix: Array) -> Array:
    """Where the cells of the teacher's map lie in the student's crop, in grid_sample's units [8,8,2]."""
    step = INPUT / CELLS
    axis = (np.arange(CELLS) + 0.5) * step - 0.5
    points = np.stack(np.meshgrid(axis, axis), -1)
    back = cv2.invertAffineTransform(similarity(five.astype(np.float64), TEMPLATE))
    points = points @ back[:, :2].T + back[:, 2]
    points = points @ matrix[:, :2].T + matrix[:, 2]
    return ((2 * points + 1) / CROP - 1).astype(np.float32)


def towards_person(embeddings: Array, people: Array) -> Array:
    """Targets [N,256] moved towards the mean over each person's photos, which errs less than one photo's does."""
    out = embeddings.copy()
    for person in np.unique(people[people != ""]):
        own = people == person
        if own.sum() > 1:
            out[own] = unit((1 - PERSON) * embeddings[own] + PERSON * unit(embeddings[own].mean(0)))
    return out


class Stock:
    """Draws batches; new morph shards in the folder are taken up by `refresh`."""

    def __init__(
        self, faces: Faces, embeddings: Array, maps: Array, shards: Path, maker: Maker, rng: np.random.Generator
    ) -> None:
        self._faces, self._maps, self._maker = faces, maps, maker
        self._embeddings = towards_person(embeddings, faces.person)
        self._fresh: list[dict[str, Array]] = []
        self._rows = np.flatnonzero(part_of(faces) == Part.TRAINING)
        weights = np.array([WEIGHTS[s] for s in faces.source[self._rows]])
        self._chance = np.cumsum(weights / weights.sum())
        sample = maps[self._rows[::8]].astype(np.float32)
        self._mean, self._spread = sample.mean((0, 2, 3))[:, None, None], sample.std((0, 2, 3))[:, None, None] + 1e-3
        self._folder, self._shards, self._seen = shards, list[dict[str, Array]](), set[str]()
        self.morphs = 0
        self.rng = rng

    def refresh(self) -> None:
        """Take up the shards made since."""
        for path in sorted(self._folder.glob("*.npz")):
            if path.name not in self._seen:
                self._seen.add(path.name)
                with np.load(path) as stored:
                    self._shards.append({name: stored[name] for name in stored})
        self._shards = self._shards[-KEPT:]
        self.morphs = sum(len(s["five"]) for s in self._shards)

    def _make(self) -> dict[str, Array]:
        """Fresh morphs for one batch, which are also kept for later ones."""
        made = self._maker.labelled(self.rng, FRESH)
        self._fresh.append(made)
        if len(self._fresh) * FRESH >= SHARD:
            shard = {name: np.concatenate([part[name] for part in self._fresh]) for name in made}
            store(self._folder / f"fresh{int(self.rng.integers(2**40)):013d}.npz", shard)
            self._fresh = []
            self.refresh()
        return made

    def _draw(self) -> tuple[Array, Array, Array, Array]:
        """Crop, five points, embedding, map."""
        if self.rng.random() < MORPHS * min(1.0, self.morphs / ENOUGH):
            shard = self._shards[int(self.rng.integers(len(self._shards)))]
            i = int(self.rng.integers(len(shard["five"])))
            return shard["crops"][i], shard["five"][i], shard["embeddings"][i], shard["maps"][i]
        row = self._rows[min(int(np.searchsorted(self._chance, self.rng.random())), len(self._rows) - 1)]
        crop, five, target = self._faces.crops[row], self._faces.five[row], self._maps[row]
        if self.rng.random() < 0.5:
            # Targets of real faces are means over both mirror images, so the mirrored face has the mirrored target.
            crop, target = crop[:, ::-1].copy(), target[..., ::-1]
            five = five[MIRROR] * np.float32([-1, 1]) + np.float32([SIDE - 1, 0])
        return crop, five, self._embeddings[row], target

    def _bank(self) -> Array:
        """The teacher's embeddings of some faces, real ones by their weight and morphs [K,256]."""
        rows = self._rows[np.searchsorted(self._chance[:-1], self.rng.random(BANK - BANK_MORPHS))]
        parts = [self._embeddings[rows]]
        for _ in range(BANK_MORPHS // 256 if self._shards else 0):
            stored = self._shards[int(self.rng.integers(len(self._shards)))]["embeddings"]
            parts.append(stored[self.rng.integers(len(stored), size=256)])
        return np.concatenate(parts).astype(np.float32)

    def batch(self, count: int) -> Batch:
        crops, embeddings, maps, cells = [], [], [], []
        made = self._make()
        for i in range(count):
            crop, five, embedding, target = (made[name][i] for name in made) if i < FRESH else self._draw()
            matrix = alignment(five, self.rng)
            # Reduced the way the network itself does, and before the augmentation, which is cheaper on fewer pixels.
            crops.append(augment(cv2.resize(cropped(crop, matrix), (LOOK, LOOK)), self.rng))
            embeddings.append(embedding)
            maps.append((target - self._mean) / self._spread)
            cells.append(cell_grid(five, matrix))
        return Batch(
            to_input(np.stack(crops)),
            torch.from_numpy(np.stack(embeddings).astype(np.float32)),
            torch.from_numpy(np.stack(maps).astype(np.float32)),
            torch.from_numpy(np.stack(cells)),
            torch.from_numpy(self._bank()),
        )


class Ahead:
    """Makes batches in a thread of its own, a few ahead of the training (OpenCV and OpenVINO release the GIL)."""

    def __init__(self, make: Callable[[], Batch], depth: int = 3) -> None:
        self._ready: queue.Queue[Batch | BaseException] = queue.Queue(depth)
        threading.Thread(target=self._run, args=(make,), daemon=True).start()

    def _run(self, make: Callable[[], Batch]) -> None:
        try:
            while True:
                self._ready.put(make())
        except BaseException as error:  # handed over: the training must not wait for ever
            self._ready.put(error)

    def __call__(self) -> Batch:
        made = self._ready.get()
        if isinstance(made, BaseException):
            raise made
        return made
