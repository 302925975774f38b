"""The stock of training samples: real faces and morphs, drawn with set weights, looked at by the teacher as they come.

One half of the samples the teacher sees as the student does, changed as they may be: what it says of such a picture is
right for it ("a good teacher is patient and consistent", Beyer et al. 2022). Of the other half it sees the clean crop,
and the student learns to see through print, blur and noise.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scripts.training.common.augment import alignment, augment
from scripts.training.common.geometry import FLIP
from scripts.training.common.image import Array
from scripts.training.recogniser.data import SIDE, Faces
from scripts.training.recogniser.morphs import blend
from scripts.training.recogniser.net import CROP, GRIDS, LEFT, REGION, TOP
from scripts.training.recogniser.people import Part, part_of
from scripts.training.recogniser.teacher import INPUT, Teacher, unit

MORPHS, BLENDS, CONSISTENT = 0.5, 0.5, 0.5  # shares of the samples
KEPT = 140  # shards in memory
WEIGHTS = {"lfw": 1.0, "asian_faces": 2.5, "masks": 1.5, "sunglasses": 1.0, "scenes": 2.0, "groups": 2.0}
BANK, BANK_MORPHS = 6144, 2048  # faces a batch is compared with, of which morphs
PERSON = 0.35  # how far a target is moved towards the person's mean


@dataclass(frozen=True)
class Batch:
    """images [B,3,112,112]; the teacher's embeddings [B,256] and its maps as the student's stages should give them.

    `bank` [K,256]: the teacher's embeddings of other faces, which the student's are compared with.
    """

    images: Tensor
    embeddings: Tensor
    maps: list[Tensor]
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


def for_teacher(crop: Array) -> Array:
    """What the student looks at of a crop, enlarged to the teacher's input: very nearly its own alignment."""
    part = crop[TOP : TOP + REGION, LEFT : LEFT + REGION]
    return cv2.resize(part, (INPUT, INPUT), interpolation=cv2.INTER_LINEAR)


def towards_person(embeddings: Array, people: Array) -> Array:
    """Targets [N,256] moved towards the mean over each person's photos, which errs less than one photo's does."""
    out = embeddings.copy()
    for person in np.unique(people[people != ""]):
        own = people == person
        if own.sum() > 1:
            out[own] = unit((1 - PERSON) * embeddings[own] + PERSON * unit(embeddings[own].mean(0)))
    return out


class Lesson:
    """What the teacher says of crops, its maps brought to the student's grids and to mean 0 and spread 1."""

    def __init__(self, teacher: Teacher, sample: Array) -> None:
        """`sample` [N,112,112,3]: crops that give the mean and spread of each channel."""
        self._teacher = teacher
        self._mean: list[Tensor] = []
        self._spread: list[Tensor] = []
        for one in self._maps(teacher.with_maps(np.stack([for_teacher(crop) for crop in sample]))[1]):
            self._mean.append(one.mean((0, 2, 3), keepdim=True))
            self._spread.append(one.std((0, 2, 3), keepdim=True) + 1e-3)

    def __call__(self, crops: Array) -> tuple[Array, list[Tensor]]:
        embeddings, maps = self._teacher.with_maps(np.stack([for_teacher(crop) for crop in crops]))
        scaled = [
            ((one - mean) / spread).contiguous(memory_format=torch.channels_last)
            for one, mean, spread in zip(self._maps(maps), self._mean, self._spread, strict=True)
        ]
        return unit(embeddings), scaled

    @staticmethod
    def _maps(maps: list[Array]) -> list[Tensor]:
        return [
            functional.interpolate(torch.from_numpy(one), size=(grid, grid), mode="area")
            for one, grid in zip(maps, GRIDS, strict=True)
        ]


class Stock:
    """Draws batches from the faces and from the morph shards in a folder."""

    def __init__(
        self, faces: Faces, embeddings: Array, shards: Path, teacher: Teacher, rng: np.random.Generator
    ) -> None:
        self._faces = faces
        self._embeddings = towards_person(embeddings, faces.person)
        self._rows = np.flatnonzero(part_of(faces) == Part.TRAINING)
        weights = np.array([WEIGHTS[s] for s in faces.source[self._rows]])
        self._chance = np.cumsum(weights / weights.sum())
        self._shards: list[dict[str, Array]] = []
        for path in sorted(shards.glob("*.npz"))[-KEPT:]:
            with np.load(path) as stored:
                self._shards.append({name: stored[name] for name in ("crops", "five", "embeddings")})
        self.morphs = sum(len(s["five"]) for s in self._shards)
        rows = self._rows[:: max(1, len(self._rows) // 512)]
        sample = [cropped(faces.crops[r], alignment(faces.five[r], None)) for r in rows]
        self._lesson = Lesson(teacher, np.stack(sample))
        self.rng = rng

    def _real(self, count: int) -> Array:
        """Rows of real faces, drawn by their weights."""
        return self._rows[np.searchsorted(self._chance[:-1], self.rng.random(count))]

    def _draw(self) -> tuple[Array, Array, Array]:
        """Crop, five points, embedding."""
        if self._shards and self.rng.random() < MORPHS:
            shard = self._shards[int(self.rng.integers(len(self._shards)))]
            i = int(self.rng.integers(len(shard["five"])))
            return shard["crops"][i], shard["five"][i], shard["embeddings"][i]
        row = int(self._real(1)[0])
        return self._faces.crops[row], self._faces.five[row], self._embeddings[row]

    def _bank(self) -> Array:
        """The teacher's embeddings of some faces, real ones by their weight and morphs [K,256]."""
        parts = [self._embeddings[self._real(BANK - BANK_MORPHS)]]
        for _ in range(BANK_MORPHS // 256 if self._shards else 0):
            stored = self._shards[int(self.rng.integers(len(self._shards)))]["embeddings"]
            parts.append(stored[self.rng.integers(len(stored), size=256)])
        return np.concatenate(parts).astype(np.float32)

    def batch(self, count: int) -> Batch:
        seen_by_teacher, seen_by_student, known = [], [], dict[int, Array]()
        for i in range(count):
            crop, five, embedding = self._draw()
            blended, mirrored = self.rng.random() < BLENDS, self.rng.random() < 0.5
            if blended:
                crop = blend(crop, self._draw()[0], self.rng)
            if mirrored:
                crop = np.ascontiguousarray(crop[:, ::-1])
                five = five[FLIP] * np.float32([-1, 1]) + np.float32([SIDE - 1, 0])
            clean = cropped(crop, alignment(five, self.rng))
            changed = augment(clean, self.rng)
            consistent = self.rng.random() < CONSISTENT
            if not blended and not consistent:
                known[i] = embedding  # of real faces the mean over mirror images and photos, which errs less
            seen_by_teacher.append(changed if consistent else clean)
            seen_by_student.append(changed)
        embeddings, maps = self._lesson(np.stack(seen_by_teacher))
        for i, embedding in known.items():
            embeddings[i] = embedding
        return Batch(
            to_input(np.stack(seen_by_student)),
            torch.from_numpy(embeddings.astype(np.float32)),
            maps,
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
