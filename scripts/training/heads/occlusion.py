"""Train the occlusion head: `python scripts/training/heads/occlusion.py --data D --teachers T --work W`.

Finds the faces, draws occluders (`occluders.py`), trains, exports `models/compact/heads/occlusion.onnx` and writes
`models/compact/figures/occlusion.json`. Every stage keeps its result in the work
folder and is skipped when it is there: after other labels, take a new one.
"""

from __future__ import annotations

import argparse
import json
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
import paths  # noqa: F401
import torch
from canvas import MARGIN, SCALE, STORED, Mesh, canvas_of, stored
from figures import operating_points, write_figures
from occluders import UNKNOWN, Labels, draw
from occlusion_net import OcclusionNet
from photos import Photo, find_faces, list_photos, read, read_rows
from store import CropWriter, crops_in
from torch import Tensor
from torch.nn import functional
from training import export, train

from facematch_local.networks.occlusion import OCCLUSION_SIZE

Array = np.ndarray[Any, Any]
REVIEW = Path(__file__).with_name("occlusion_review.csv")
HAT_REVIEW = Path(__file__).with_name("hat_review.csv")
NOTES = {  # of the latter: output and what is known of it
    "hat": ("head_covering", "1"),
    "headband": ("head_covering", str(UNKNOWN)),
    "unsure hat": ("head_covering", str(UNKNOWN)),
    "sunglasses": ("sunglasses", "1"),
    "tinted": ("sunglasses", str(UNKNOWN)),
    "mouth": ("mask", str(UNKNOWN)),
}
ROOT = Path(__file__).resolve().parents[3]
OUTPUTS = ("sunglasses", "clear_glasses", "mask", "head_covering")
DRAWN_PER_PHOTO = {"lfw": 1, "asian_faces": 3, "masks": 2, "sunglasses": 2, "scenes": 3}
LFW_DRAWN_ON = 0.5  # share of the LFW photos drawn on
LFW_TESTED_ON = 0.4  # share of the unlabelled held-out LFW photos in the figures
SIZES = {"face": STORED}
BATCH = 96

BY_LABEL = {
    "": Labels(clear_glasses=UNKNOWN),
    "hat": Labels(clear_glasses=UNKNOWN, head_covering=1),
    "eyewear": Labels(clear_glasses=1),
    "mask": Labels(clear_glasses=UNKNOWN, mask=1, head_covering=UNKNOWN),
    "bare": Labels(clear_glasses=UNKNOWN),
    "sunglasses": Labels(sunglasses=1),
}


def reviewed() -> dict[str, dict[str, str]]:
    """By path, what was seen on contact sheets: "unusable" or an output's name, and "1", "0" or "-1" (not told).

    Where a photo was looked at for both lists, `occlusion_review.csv` holds: it is the later look.
    """
    seen: dict[str, dict[str, str]] = {}
    for row in read_rows(HAT_REVIEW):
        seen[row["path"]] = dict(NOTES[note] for note in row["why"].split(" and ") if note in NOTES)
    for row in read_rows(REVIEW):
        told = {name: value for name, value in row.items() if value and name != "path"}
        seen[row["path"]] = {**seen.get(row["path"], {}), **told}
    return seen


def known_labels(photos: list[Photo]) -> dict[str, Labels]:
    """What is known of each usable photo: labels.csv, corrected by what was seen on the contact sheets."""
    seen = reviewed()
    out = {}
    for photo in photos:
        told = seen.get(photo.path, {})
        if told.get("unusable") == "1":
            continue
        labels = BY_LABEL[photo.label]
        changes = {name: int(told[name]) for name in OUTPUTS if name in told}
        out[photo.path] = Labels(**{**{name: getattr(labels, name) for name in OUTPUTS}, **changes})
    return out


def build(data: Path, teachers: Path, work: Path, held_out: bool) -> tuple[Array, Array, list[str]]:
    """Crops uint8 [N,160,160,3], labels int8 [N,4] and, for each, `path` or `path#n` for the n-th drawn version."""
    folder = work / ("occlusion_test" if held_out else "occlusion_train")
    if not (folder / "names.json").exists():
        faces = find_faces(data, teachers, work / "faces.json")
        photos = [p for p in list_photos(data) if p.path in faces and p.source != "spoof"]
        photos = [p for p in photos if p.trained_on != held_out]
        known = known_labels(photos)
        mesh_of = Mesh(teachers)
        labels: list[list[int]] = []
        names: list[str] = []
        with CropWriter(folder, SIZES) as writer:
            for photo in photos:
                chance = zlib.crc32(photo.path.encode()) / 2**32
                if photo.path not in known or (
                    held_out and (photo.source, photo.label) == ("lfw", "") and chance > LFW_TESTED_ON
                ):
                    continue
                image = read(data / photo.path)
                if image is None:
                    continue
                canvas = canvas_of(image, faces[photo.path])
                writer.add({"face": stored(canvas)})
                labels.append(known[photo.path].row())
                names.append(photo.path)
                drawn = DRAWN_PER_PHOTO[photo.source]
                if held_out:
                    drawn = int(chance < 0.1)
                elif photo.source == "lfw" and chance > LFW_DRAWN_ON:
                    drawn = 0
                mesh = mesh_of(canvas) if drawn else canvas
                for n in range(drawn):
                    rng = np.random.default_rng((zlib.crc32(photo.path.encode()), n))
                    changed, row = draw(canvas, mesh, known[photo.path], rng)
                    writer.add({"face": stored(changed)})
                    labels.append(row.row())
                    names.append(f"{photo.path}#{n}")
        np.save(folder / "labels.npy", np.array(labels, np.int8))
        (folder / "names.json").write_text(json.dumps(names))
    names = json.loads((folder / "names.json").read_text())
    return crops_in(folder, SIZES)["face"], np.load(folder / "labels.npy"), names


# ---- augmentation ------------------------------------------------------------------------------------------------


def augmented(crop: Array, rng: np.random.Generator) -> Array:
    """A training view of a stored crop: 112x112x3 uint8; geometry, light, camera and compression varied."""
    half, size = STORED / 2, OCCLUSION_SIZE
    scale = SCALE / 2 * np.exp(rng.normal(0, 0.07))
    angle = rng.normal(0, 6) * np.pi / 180
    shift = rng.normal(0, 4.0, 2)
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    stretch = np.exp(rng.normal(0, 0.04))
    matrix = np.array([[a * stretch, -b, 0], [b * stretch, a, 0]])
    matrix[:, 2] = half + shift - matrix[:, :2] @ (size / 2, size / 2)
    if rng.random() < 0.3:  # a photo that ends close to the face: its border is repeated
        low = (rng.uniform(0, 0.28, 2) * STORED).astype(int)
        high = STORED - (rng.uniform(0, 0.2, 2) * STORED).astype(int)
        if rng.random() < 0.5:
            low[0] = 0
        crop = crop[low[1] : high[1], low[0] : high[0]]
        matrix[:, 2] -= low
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpAffine(crop, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.5:
        out = out[:, ::-1]
    if rng.random() < 0.35:  # few pixels
        small = int(rng.uniform(28, 90))
        how = (cv2.INTER_AREA, cv2.INTER_LINEAR)[rng.integers(2)]
        out = cv2.resize(
            cv2.resize(out, (small, small), interpolation=how), (size, size), interpolation=cv2.INTER_CUBIC
        )
    elif rng.random() < 0.2:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.6))
    x = out.astype(np.float32)
    if rng.random() < 0.15:
        x[:] = x.mean(2, keepdims=True)
    gain = np.exp(rng.normal(0, 0.25) + rng.normal(0, 0.08, 3)).astype(np.float32)
    x = (x - 127) * np.float32(np.exp(rng.normal(0, 0.2))) + 127 + np.float32(rng.normal(0, 14))
    x = np.clip(x * gain, 0, 255)
    if rng.random() < 0.5:
        x = 255 * (x / 255) ** np.float32(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.2:
        x += rng.standard_normal(x.shape, dtype=np.float32) * np.float32(rng.uniform(1, 12))
    out = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        out = cv2.imdecode(cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 92))])[1], 1)
    return out


def plain(crops: Array) -> Array:
    """The head's own view of stored crops, [N,112,112,3]."""
    scale = SCALE / 2
    matrix = np.array([[scale, 0, MARGIN / 2], [0, scale, MARGIN / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.stack([cv2.warpAffine(crop, matrix, (OCCLUSION_SIZE,) * 2, flags=flags) for crop in crops])


def sampling_weights(labels: Array, names: list[str]) -> Array:
    """Real positives and what passed for a hat count for more than drawn ones; every set is seen often enough."""
    real = np.array(["#" not in name for name in names])
    source = np.array([name.split("/")[0] for name in names])
    weights = np.ones(len(names))
    mistaken = {path for path, told in reviewed().items() if told.get("head_covering") == "0"}
    weights[((source != "lfw") & real) | np.array([name in mistaken for name in names])] = 3.0
    for column, factor in ((0, 8.0), (1, 4.0), (2, 6.0), (3, 5.0)):
        weights[real & (labels[:, column] == 1)] = factor
    return weights / weights.sum()


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross entropy, labels softened a little, unknown ones left out; sunglasses and hats not outweighed."""
    known = (targets >= 0).float()
    soft = targets.clamp(0, 1) * 0.96 + 0.02
    return (functional.binary_cross_entropy_with_logits(logits, soft, reduction="none") * known).sum() / known.sum()


# ---- figures -------------------------------------------------------------------------------------------------------


def scores_of(model: Path, crops: Array) -> Array:
    """Probabilities [N,4] of stored crops, through the exported file."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    parts = [session.run(["scores"], {"face": plain(crops[i : i + 64])})[0] for i in range(0, len(crops), 64)]
    return np.concatenate(parts)


def figures_of(scores: Array, labels: Array, names: list[str]) -> dict[str, Any]:
    """Found at 1, 3 and 5 % false alarms per output; photos as they are and drawn ones apart."""
    real = np.array(["#" not in name for name in names])
    out: dict[str, Any] = {}
    for column, output in enumerate(OUTPUTS):
        for kind, chosen in (("real", real), ("drawn", ~real)):
            known = chosen & (labels[:, column] >= 0)
            if known.any() and 0 < labels[known, column].sum() < known.sum():
                out[f"{output} {kind}"] = operating_points(scores[known, column], labels[known, column] == 1)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "teachers", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "compact")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    crops, labels, names = build(arguments.data, arguments.teachers, arguments.work, held_out=False)
    chances = sampling_weights(labels, names).cumsum()
    print(f"{len(names)} training crops; positives {(labels == 1).sum(0).tolist()}", flush=True)

    def batch_of(rng: np.random.Generator) -> tuple[tuple[Tensor, ...], Tensor]:
        chosen = np.searchsorted(chances, rng.random(BATCH) * chances[-1])
        views = np.stack([augmented(crops[i], rng) for i in chosen])
        return (torch.from_numpy(views),), torch.from_numpy(labels[chosen].astype(np.float32))

    checkpoint = arguments.work / "occlusion.pt"
    net = train(OcclusionNet(), batch_of, loss_of, arguments.steps, checkpoint)
    model = arguments.out / "heads" / "occlusion.onnx"
    export(net, (torch.zeros(1, OCCLUSION_SIZE, OCCLUSION_SIZE, 3, dtype=torch.uint8),), model, int8=True)
    third = slice(None, None, 3)  # of the training half, enough to choose thresholds on
    chosen = figures_of(scores_of(model, crops[third]), labels[third], names[third])
    result = {"steps": arguments.steps, "train": chosen}
    test_crops, test_labels, test_names = build(arguments.data, arguments.teachers, arguments.work, held_out=True)
    test_scores = scores_of(model, test_crops)
    np.save(arguments.work / "occlusion_test" / "scores.npy", test_scores)
    result["test"] = figures_of(test_scores, test_labels, test_names)
    write_figures(arguments.out / "figures" / "occlusion.json", result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
