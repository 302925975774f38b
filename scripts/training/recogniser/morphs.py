"""New people from the faces of the training half: blends of two or three, in shape and in texture.

The shape follows the face mesh and a smooth random deformation; the texture is blended evenly or region by region
(eyes of one, mouth of another). The teacher's embedding of the finished morph is its label, so that a morph need not
look natural to teach. Shards are written one by one. `blend` is the cheap kind, made anew for every batch.
"""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.arguments import parser_of
from scripts.training.common.geometry import FLIP
from scripts.training.common.image import Array
from scripts.training.common.store import save_arrays
from scripts.training.recogniser.data import SIDE, Faces
from scripts.training.recogniser.people import Part, part_of
from scripts.training.recogniser.teacher import Teacher, unit

SHARD = 1024
GRID = 15  # nodes a side of the coarse displacement field
SPREAD = 12.0  # px, reach of a mesh point in that field
POINTS = np.arange(0, 468, 12)
# The corners and edge centres of the frame stay where they are.
RIM = np.array([(x, y) for x in (0, SIDE / 2, SIDE) for y in (0, SIDE / 2, SIDE) if (x, y) != (SIDE / 2, SIDE / 2)])
NODES = np.stack(np.meshgrid(*[np.linspace(0, SIDE - 1, GRID)] * 2), -1).reshape(-1, 2)
PIXELS = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), -1).astype(np.float32)
# Group of the first face, group of the others, share of the morphs.
MIX = (("east", "east", 0.35), ("east", "lfw", 0.20), ("lfw", "lfw", 0.32), ("lfw", "rest", 0.13))
GROUPS = {"lfw": ("lfw",), "rest": ("masks", "sunglasses", "scenes", "groups")}
# The masks and bare faces are mostly East Asian.
EAST, EAST_OF_LFW, NEIGHBOURS = ("asian_faces", "masks"), 0.04, 25


def smooth_noise(rng: np.random.Generator, nodes: int, channels: int) -> Array:
    """Smooth random field [144,144,channels] of about unit variance."""
    coarse = rng.standard_normal((nodes, nodes, channels)).astype(np.float32)
    return cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).reshape(SIDE, SIDE, channels)


def bend(crop: Array, source: Array, target: Array) -> Array:
    """The crop with its points [K,2] moved to `target` by a smooth field."""
    at = np.concatenate([target, RIM])
    move = np.concatenate([source - target, np.zeros_like(RIM)])
    squared = ((NODES[:, None] - at[None]) ** 2).sum(-1)
    weight = np.exp(-squared / (2 * SPREAD**2)) + 1e-6 / (1 + squared)
    field = (weight @ move / weight.sum(1, keepdims=True)).reshape(GRID, GRID, 2).astype(np.float32)
    where = PIXELS + cv2.resize(field, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return cv2.remap(crop, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def colour_like(crop: Array, other: Array) -> Array:
    """The crop with each channel's mean and spread inside the face brought to those of `other`."""
    inner = (slice(36, 120, 2), slice(40, 104, 2))
    a, b = crop[inner].reshape(-1, 3).astype(np.float32), other[inner].reshape(-1, 3).astype(np.float32)
    gain = np.clip(b.std(0) / (a.std(0) + 1), 0.5, 2)
    table = (np.arange(256)[:, None] - a.mean(0)) * gain + b.mean(0)
    return cv2.LUT(crop, np.clip(table, 0, 255).astype(np.uint8).reshape(1, 256, 3))


def morph(crops: Array, meshes: Array, fives: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """One morph of K faces (crops [K,144,144,3], meshes [K,468,2], fives [K,5,2]): crop uint8 BGR, five points."""
    count = len(crops)
    share = rng.dirichlet(np.full(count, 1.5))
    if rng.random() < 0.25:  # beyond the blend: a caricature of the first against the second
        share = np.zeros(count)
        share[:2] = 1.35, -0.35
    points = np.concatenate([meshes[:, POINTS], fives], axis=1).astype(np.float64)
    target = np.tensordot(share, points, 1)
    wobble = smooth_noise(rng, 5, 2) * rng.uniform(0, 3)
    at = np.clip(target.round().astype(int), 0, SIDE - 1)
    target = target + wobble[at[:, 1], at[:, 0]]
    bent = [bend(crop, own, target) for crop, own in zip(crops, points, strict=True)]
    base = bent[int(rng.integers(count))]
    layers = [layer if layer is base else colour_like(layer, base) for layer in bent]
    mixed = layers[0]
    by_region = rng.random() < 0.6
    for layer in layers[1:]:
        if by_region:
            field = cv2.resize(smooth_noise(rng, int(rng.integers(3, 6)), 1)[::4, ::4] * 4, (SIDE, SIDE))
            weight = 1 / (1 + np.exp(-field))
        else:
            weight = np.full((SIDE, SIDE), rng.beta(2, 2), np.float32)
        mixed = cv2.blendLinear(mixed, layer, 1 - weight, weight)
    return mixed, target[-5:].astype(np.float32)


def blend(crop: Array, other: Array, rng: np.random.Generator) -> Array:
    """The crop with regions of another face of the same frame, in its colours, all of it slightly bent."""
    field = cv2.resize(smooth_noise(rng, int(rng.integers(3, 6)), 1)[::4, ::4] * 6, (SIDE, SIDE))
    weight = 1 / (1 + np.exp(-field - rng.normal(0, 2)))
    mixed = cv2.blendLinear(crop, colour_like(other, crop), weight, 1 - weight)
    return cv2.remap(
        mixed,
        PIXELS + smooth_noise(rng, 5, 2) * np.float32(rng.uniform(0, 2)),
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


class Maker:
    """Draws the parents of morphs, makes them and has the teacher label them."""

    def __init__(self, faces: Faces, embeddings: Array, teacher: Teacher) -> None:
        self._faces, self._teacher = faces, teacher
        training = part_of(faces) == Part.TRAINING
        self._rows = {
            name: np.flatnonzero(training & np.isin(faces.source, sources)) for name, sources in GROUPS.items()
        }
        # Few people are named as East Asian; LFW people whom the teacher finds like many of these faces join in.
        east, lfw = np.flatnonzero(training & np.isin(faces.source, EAST)), self._rows["lfw"]
        likeness = np.sort(embeddings[lfw] @ embeddings[east].T, axis=1)[:, -NEIGHBOURS:].mean(1)
        alike = lfw[likeness > np.quantile(likeness, 1 - EAST_OF_LFW)]
        self._rows["east"] = np.concatenate([east, alike])

    def labelled(self, rng: np.random.Generator, size: int) -> dict[str, Array]:
        """crops, five and embeddings [size,256]."""
        crops, five = self.make(rng, size)
        aligned = np.stack([self._teacher.align(c, f) for c, f in zip(crops, five, strict=True)])
        return {"crops": crops, "five": five, "embeddings": unit(self._teacher.run(aligned)).astype(np.float32)}

    def make(self, rng: np.random.Generator, size: int) -> tuple[Array, Array]:
        """Crops [size,144,144,3] and five points [size,5,2]."""
        crops, fives = [], []
        shares = np.array([row[2] for row in MIX])
        for _ in range(size):
            first, others, _ = MIX[int(rng.choice(len(MIX), p=shares / shares.sum()))]
            count = 2 if rng.random() < 0.7 else 3
            rows = [int(rng.choice(self._rows[first])), *rng.choice(self._rows[others], count - 1).tolist()]
            crop, five = morph(self._faces.crops[rows], self._faces.mesh[rows], self._faces.five[rows], rng)
            if rng.random() < 0.5:
                crop = np.ascontiguousarray(crop[:, ::-1])
                five = five[FLIP] * [-1, 1] + [SIDE - 1, 0]
            crops.append(crop)
            fives.append(five.astype(np.float32))
        return np.stack(crops), np.stack(fives)


def main() -> None:
    parser = parser_of(__doc__, "faces")
    parser.add_argument("--targets", type=Path, required=True, help="the teacher's targets of the faces")
    parser.add_argument("--teachers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of shards")
    parser.add_argument("--shards", type=int, default=60)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with np.load(arguments.targets) as stored:
        embeddings = stored["embeddings"]
    maker, start = Maker(Faces.load(arguments.faces), embeddings, Teacher(arguments.teachers)), time.time()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for number in range(arguments.shards):
        path = arguments.out / f"{number:04d}.npz"
        if not path.exists():
            save_arrays(path, maker.labelled(np.random.default_rng(1000 + number), SHARD))
            print(f"shard {number}, {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
