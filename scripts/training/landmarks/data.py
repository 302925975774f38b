"""The faces that the landmark network learns from, and views of them with landmarks as wrong as a small detector's.

The labels are what `common/labels.py` writes: the points that three teachers agree on, of the training half.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facematch_local.faces.alignment import similarity_transform
from facematch_local.imaging.resampling import warp
from facematch_local.networks.landmarks import LANDMARK_SIZE, LANDMARK_TEMPLATE
from scripts.training.common.augment import augment
from scripts.training.common.geometry import FLIP
from scripts.training.common.image import Array
from scripts.training.common.labels import SURE
from scripts.training.common.photos import list_photos, load_photo
from scripts.training.common.store import save_arrays

TEMPLATE = np.array(LANDMARK_TEMPLATE, np.float64)
# Stored crops are finer and larger than the network's input, so that views can be cut from them.
FINENESS, STORED = 1.6, 176
FRAME = (TEMPLATE - LANDMARK_SIZE / 2) * FINENESS + STORED / 2
SMALLEST = 18.0  # px between the eyes
BORDERS = (cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT)


def crops_of(data: Path, labels: list[Path], work: Path) -> dict[str, Array]:
    """Crops uint8 [N,176,176,3] BGR, their points [N,5,2] and sources [N]; kept in `work` for these labels."""
    contents = [path.read_bytes() for path in labels]
    cache = work / f"landmarks-{hashlib.sha256(b''.join(contents)).hexdigest()[:12]}.npz"
    if not cache.exists():
        work.mkdir(parents=True, exist_ok=True)
        found = {path: faces for content in contents for path, faces in json.loads(content).items()}
        rows: dict[str, list[Any]] = {"crops": [], "points": [], "source": []}
        for photo in list_photos(data):
            image = None if photo.held_out or not found.get(photo.path) else load_photo(data / photo.path)
            if image is None:
                continue
            for face in found[photo.path]:
                points = np.array(face[4:14]).reshape(5, 2)
                if face[14] < SURE or np.linalg.norm(points[1] - points[0]) < SMALLEST:
                    continue
                matrix = similarity_transform(points, FRAME)
                rows["crops"].append(warp(image, matrix, STORED, border=cv2.BORDER_REPLICATE))
                rows["points"].append(points @ matrix[:, :2].T + matrix[:, 2])
                rows["source"].append(photo.source)
        save_arrays(cache, {name: np.array(values) for name, values in rows.items()})
    with np.load(cache) as stored:
        return {name: stored[name] for name in stored}


def misread(five: Array, rng: np.random.Generator) -> Array:
    """The five points [5,2] as a small detector may give them: each wrong by itself, and all of them together."""
    eyes = np.linalg.norm(five[1] - five[0])
    spread = 0.12 if rng.random() < 0.25 else 0.05
    middle = five.mean(0)
    angle, scale = rng.normal(0, 0.25 if rng.random() < 0.15 else 0.06), np.exp(rng.normal(0, 1.5 * spread))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (five - middle) @ turn.T + middle + rng.normal(0, spread * eyes, 2)
    return moved + rng.normal(0, spread * eyes, (5, 2))


def view(crop: Array, five: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """The network's input, uint8 [80,80,3], and the five points in it [5,2]."""
    if rng.random() < 0.5:
        crop = np.ascontiguousarray(crop[:, ::-1])
        five = five[FLIP] * [-1, 1] + [STORED - 1, 0]
    matrix = similarity_transform(misread(five, rng), TEMPLATE)
    border = BORDERS[int(rng.integers(3))]
    seen = cv2.warpAffine(crop, matrix, (LANDMARK_SIZE,) * 2, flags=cv2.INTER_LINEAR, borderMode=border)
    return augment(seen, rng), five @ matrix[:, :2].T + matrix[:, 2]
