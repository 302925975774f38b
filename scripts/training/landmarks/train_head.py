"""Train the landmark head: `python scripts/training/landmarks/train_head.py --data D --labels LABELS.json --work W`.

LABELS is what `detector/labels.py` writes: the points that three teachers agree on, of the training half. Every sample
starts from landmarks as wrong as a small detector's and asks for the right ones. Writes
`models/compact/heads/landmarks.onnx`; `measure.py` measures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import paths  # noqa: F401
import torch
from augment import augment
from labels import FLIP, SURE, load_photo
from landmarks_net import LandmarkNet
from split import list_photos
from torch import Tensor
from training import export, train

from facematch_local.faces.alignment import similarity_transform
from facematch_local.imaging.resampling import warp
from facematch_local.networks.landmarks import LANDMARK_SIZE, LANDMARK_TEMPLATE

Array = np.ndarray[Any, Any]
ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = np.array(LANDMARK_TEMPLATE, np.float64)
# Stored crops are finer than what the head sees and hold more, so that views can be cut from them.
FINENESS, STORED = 1.6, 176
FRAME = (TEMPLATE - LANDMARK_SIZE / 2) * FINENESS + STORED / 2
SMALLEST = 18.0  # px between the eyes
BATCH = 96
WEIGHTS = {
    "lfw": 1.0, "asian_faces": 4.0, "masks": 2.5, "sunglasses": 5.0, "scenes": 4.0,
    "groups": 3.0, "no_card": 2.0, "cards": 4.0, "photocopies": 3.0,
}  # fmt: skip
BORDERS = (cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT)


def crops_of(data: Path, labels: list[Path], work: Path) -> dict[str, Array]:
    """Crops uint8 [N,176,176,3] BGR, their points [N,5,2] and sources [N]; kept in `work` for these labels."""
    contents = [path.read_bytes() for path in labels]
    cache = work / f"landmarks-{hashlib.sha256(b''.join(contents)).hexdigest()[:12]}.npz"
    if not cache.exists():
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
        with cache.with_suffix(".part").open("wb") as stream:
            np.savez(stream, **{name: np.array(values) for name, values in rows.items()})
        cache.with_suffix(".part").replace(cache)
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
    """What the head sees, uint8 [80,80,3], and where the five points are in it [5,2]."""
    if rng.random() < 0.5:
        crop = np.ascontiguousarray(crop[:, ::-1])
        five = five[FLIP] * [-1, 1] + [STORED - 1, 0]
    matrix = similarity_transform(misread(five, rng), TEMPLATE)
    border = BORDERS[int(rng.integers(3))]
    seen = cv2.warpAffine(crop, matrix, (LANDMARK_SIZE,) * 2, flags=cv2.INTER_LINEAR, borderMode=border)
    return augment(seen, rng), five @ matrix[:, :2].T + matrix[:, 2]


def loss_of(offsets: Tensor, targets: Tensor) -> Tensor:
    """Mean absolute error of the coordinates in eye distances: labels of teachers have outliers."""
    return (offsets - targets).abs().mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--labels", type=Path, nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "compact")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    faces = crops_of(arguments.data, arguments.labels, arguments.work)
    weights = np.array([WEIGHTS[source] for source in faces["source"]])
    chance = np.cumsum(weights / weights.sum())[:-1]
    print(f"{len(weights)} faces", flush=True)
    unit = float(np.linalg.norm(TEMPLATE[1] - TEMPLATE[0]))

    def batch_of(rng: np.random.Generator) -> tuple[tuple[Tensor, ...], Tensor]:
        chosen = np.searchsorted(chance, rng.random(BATCH))
        views = [view(faces["crops"][i], faces["points"][i], rng) for i in chosen]
        targets = np.stack([((where - TEMPLATE) / unit).ravel() for _, where in views])
        return (torch.from_numpy(np.stack([seen for seen, _ in views])),), torch.from_numpy(targets.astype(np.float32))

    net = train(LandmarkNet(), batch_of, loss_of, arguments.steps, arguments.work / "landmarks.pt")
    example = torch.zeros(1, LANDMARK_SIZE, LANDMARK_SIZE, 3, dtype=torch.uint8)
    export(net, (example,), arguments.out / "heads" / "landmarks.onnx")


if __name__ == "__main__":
    main()
