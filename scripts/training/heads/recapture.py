"""Train the recapture head: `python scripts/training/heads/recapture.py --data D --teachers T --work W`.

Finds the faces, simulates live captures and recaptures (`recapture_chain.py`), trains, exports
`models/compact/heads/recapture.onnx` and writes `models/compact/figures/recapture.json`. Every stage keeps its result
in the work folder and is skipped when it is there.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
import paths  # noqa: F401
import torch
from figures import GRID, operating_points, write_figures
from photos import find_faces, list_photos, read
from recapture_chain import PRINT_FAMILIES, SCREEN_FAMILIES, UNSEEN, Shot, live, printed, screen
from recapture_net import RecaptureNet
from store import CropWriter, crops_in
from torch import Tensor
from torch.nn import functional
from training import export, train

from facematch_local.heads import FACE_SIZE, NATIVE_SIZE, WIDE_SIZE, recapture_crops

Array = np.ndarray[Any, Any]
ROOT = Path(__file__).resolve().parents[3]
KINDS = ("live", "print", "screen")
INPUTS = RecaptureNet.INPUTS
SIZES = {"wide": WIDE_SIZE, "face": FACE_SIZE, "native": NATIVE_SIZE}
BATCH = 256
ROUNDS = {"lfw": 1, "asian_faces": 2, "masks": 1, "sunglasses": 1, "scenes": 4, "no_card": 3}


def sources(data: Path, teachers: Path, work: Path, held_out: bool) -> Iterator[tuple[str, str, Array, Array]]:
    """Path, set, photo and face box; of photos without people, a place anywhere instead of a face."""
    faces = find_faces(data, teachers, work / "faces.json")
    for photo in list_photos(data):
        if photo.held_out == held_out and photo.path in faces and photo.source != "spoof":
            image = read(data / photo.path)
            face = faces[photo.path]
            if image is not None and min(face.width, face.height) >= 24:
                yield photo.path, photo.source, image, face.box
    for path in backgrounds(data, held_out):
        image = read(path)
        if image is not None and min(image.shape[:2]) > 120:
            rng = np.random.default_rng(zlib.crc32(path.name.encode()))
            side = rng.uniform(60, 0.7 * min(image.shape[:2]))
            low = rng.uniform(0, np.array(image.shape[1::-1]) - side)
            yield f"no_card/{path.name}", "no_card", image, np.float32([*low, *(low + side)])


def backgrounds(data: Path, held_out: bool) -> list[Path]:
    """Ordinary photos, split in two."""
    files = sorted((data / "no_card").iterdir())
    return [f for f in files if (zlib.crc32(f.name.encode()) % 2 == 1) == held_out]


def make(image: Array, box: Array, kind: str, behind: list[Array], rng: np.random.Generator) -> Shot:
    """One capture; for a test, families never trained on may be asked for by name as `kind`."""
    background = behind[rng.integers(len(behind))]
    if kind == "raw":
        return Shot(image, box, "live", "raw")
    if kind == "live":
        return live(image, box, rng)
    if kind == "print":
        kind = str(rng.choice([f for f in PRINT_FAMILIES if f not in UNSEEN]))
    if kind == "screen":
        kind = str(rng.choice([f for f in SCREEN_FAMILIES if f not in UNSEEN]))
    if kind in PRINT_FAMILIES:
        return printed(image, box, kind, background, rng)
    return screen(image, box, kind, background, rng)


def build(
    data: Path, teachers: Path, work: Path, held_out: bool, every: int = 1
) -> tuple[dict[str, Array], Array, list[list[str]]]:
    """Crops by input, kind 0..2 [N], and for each `[path, family, set]`; of every n-th capture."""
    folder = work / ("recapture_test" if held_out else "recapture_train")
    if not (folder / "names.json").exists():
        behind = [b for b in (read(path, 500) for path in backgrounds(data, held_out)) if b is not None]
        kinds: list[int] = []
        names: list[list[str]] = []
        with CropWriter(folder, SIZES) as writer:
            for path, source, image, box in sources(data, teachers, work, held_out):
                for n in range(1 if held_out else ROUNDS[source]):
                    rng = np.random.default_rng((zlib.crc32(path.encode()), n))
                    for kind in wanted(path, source, n, held_out):
                        shot = make(image, box, kind, behind, rng)
                        for _ in range(1 if held_out or shot.kind == "live" else 2):
                            writer.add(recapture_crops(shot.image, moved(shot.box, held_out, rng)))
                            kinds.append(KINDS.index(shot.kind))
                            names.append([path, shot.family, source])
        np.save(folder / "kinds.npy", np.array(kinds))
        (folder / "names.json").write_text(json.dumps(names))
    names = json.loads((folder / "names.json").read_text())
    crops, kinds = crops_in(folder, SIZES), np.load(folder / "kinds.npy")
    return {name: crop[::every] for name, crop in crops.items()}, kinds[::every], names[::every]


def wanted(path: str, source: str, n: int, held_out: bool) -> list[str]:
    """Which captures to make of a photo in round `n`."""
    seed = zlib.crc32(path.encode())
    if held_out:
        made = seed % (20 if source in ("lfw", "no_card") else 3) == 0
        return ["raw", "live", "print", "screen", *sorted(UNSEEN)] if made else ["raw"]
    kinds = ["raw"] if n == 0 else []
    made = ["live", ("print", "screen")[(seed // 4 + n) % 2]]
    return kinds + (made if source != "lfw" else made[seed % 4 // 2 :] if seed % 2 else [])


def moved(box: Array, held_out: bool, rng: np.random.Generator) -> Array:
    """The box as another detector might give it; in training also off its middle, for other texture."""
    side = max(box[2] - box[0], box[3] - box[1])
    shift = rng.normal(0, 0.03 if held_out else 0.07, 4) * side
    if not held_out:
        shift += np.tile(rng.normal(0, 0.1, 2) * side, 2)
    return box + shift.astype(np.float32)


def augmented(crops: dict[str, Array], rng: np.random.Generator) -> dict[str, Array]:
    """The three crops of one face in another light, at times without colour or compressed once more."""
    gain = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3))
    gamma = np.exp(rng.normal(0, 0.15))
    table = np.clip(255 * (np.arange(256)[:, None] / 255) ** gamma * gain, 0, 255).astype(np.uint8)
    grey = rng.random() < 0.08
    quality = int(rng.integers(55, 96)) if rng.random() < 0.12 else 0
    out = {}
    for name, crop in crops.items():
        new = cv2.LUT(np.ascontiguousarray(crop), table[:, None])
        if grey:
            new = cv2.cvtColor(cv2.cvtColor(new, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        if quality:
            new = cv2.imdecode(cv2.imencode(".jpg", new, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1)
        out[name] = new
    return out


@torch.no_grad()
def statistics_of(net: RecaptureNet, crops: dict[str, Array], cache: Path) -> Array:
    """The statistics of every capture, half of them (in turns) in another light; made once."""
    if not cache.exists():
        parts = []
        for start in range(0, len(crops["wide"]), 64):
            views = []
            for i in range(start, min(start + 64, len(crops["wide"]))):
                view = {name: np.asarray(crops[name][i]) for name in INPUTS}
                views.append(augmented(view, np.random.default_rng(i)) if i % 2 else view)
            parts.append(net.statistics(*(torch.from_numpy(np.stack([v[n] for v in views])) for n in INPUTS)).numpy())
        np.save(cache, np.concatenate(parts))
    return np.load(cache)


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy with softened labels."""
    return functional.cross_entropy(logits, targets, label_smoothing=0.04)


def scores_of(model: Path, crops: dict[str, Array]) -> Array:
    """Probabilities [N,3] through the exported file."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    count = len(crops["wide"])
    parts = []
    for i in range(0, count, 32):
        parts.append(session.run(["scores"], {name: np.asarray(crops[name][i : i + 32]) for name in INPUTS})[0])
    return np.concatenate(parts)


def figures_of(scores: Array, kinds: Array, names: list[list[str]]) -> dict[str, Any]:
    """1 - live as attack score: by family against all live, and the share of real live photos above each threshold."""
    attack = 1 - scores[:, 0]
    family = np.array([name[1] for name in names])
    source = np.array([name[2] for name in names])
    is_live = kinds == 0
    faces = source != "no_card"
    out: dict[str, Any] = {"all made recaptures": operating_points(attack[faces], ~is_live[faces])}
    for name in sorted(set(family[~is_live])):
        chosen = faces & (is_live | (family == name))
        points = operating_points(attack[chosen], ~is_live[chosen])
        out[name] = {key: points[key] for key in ("positives", "auc", "found at 1%", "found at 3%", "found at 5%")}
    for kind in ("raw", "live"):
        for name in sorted(set(source)):
            chosen = (family == kind) & (source == name)
            if chosen.any():
                label = f"BPCER {'photos as they are' if kind == 'raw' else 'edited photos'}, {name}"
                out[label] = {str(t): round(float((attack[chosen] > t).mean()), 4) for t in GRID} | {
                    "n": int(chosen.sum())
                }
    spoof = ~is_live & faces
    out["print told from screen"] = round(float(((scores[:, 1] > scores[:, 2]) == (kinds == 1))[spoof].mean()), 4)
    return out


def smoke_test(model: Path, data: Path, teachers: Path, work: Path) -> dict[str, list[float]]:
    """Live, print, screen of the few real samples there are: no measurement."""
    faces = find_faces(data, teachers, work / "faces.json")
    out = {}
    for photo in list_photos(data):
        image = read(data / photo.path) if photo.source == "spoof" and photo.path in faces else None
        if image is not None:
            crops = {name: crop[None] for name, crop in recapture_crops(image, faces[photo.path].box).items()}
            out[photo.path] = [round(float(v), 3) for v in scores_of(model, crops)[0]]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "teachers", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--every", type=int, default=1, help="use every n-th capture only, to save time")
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "compact")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    crops, kinds, names = build(
        arguments.data, arguments.teachers, arguments.work, held_out=False, every=arguments.every
    )
    print(f"{len(kinds)} captures, {np.bincount(kinds).tolist()} live, print, screen", flush=True)
    net = RecaptureNet()
    statistics = torch.from_numpy(
        statistics_of(net, crops, arguments.work / "recapture_train" / f"statistics-{arguments.every}.npy")
    )
    net.mean.copy_(statistics.mean(0))
    net.scale.copy_(1 / (statistics.std(0) + 1e-3))
    weights = np.array([2.0, 1.0, 1.0])[kinds] / np.bincount(kinds)[kinds]
    chances = weights.cumsum()

    def batch_of(rng: np.random.Generator) -> tuple[tuple[Tensor, ...], Tensor]:
        chosen = np.searchsorted(chances, rng.random(BATCH) * chances[-1])
        return (statistics[chosen],), torch.from_numpy(kinds[chosen])

    checkpoint = arguments.work / "recapture.pt"
    net = train(net, batch_of, loss_of, arguments.steps, checkpoint, call=RecaptureNet.decide)
    model = arguments.out / "heads" / "recapture.onnx"
    example = tuple(torch.zeros(1, *crops[name].shape[1:], dtype=torch.uint8) for name in INPUTS)
    export(net, example, model)
    with torch.no_grad():
        scores = net.outputs(net.decide(statistics)).numpy()
    result = {"steps": arguments.steps, "every": arguments.every, "train": figures_of(scores, kinds, names)}
    test_crops, test_kinds, test_names = build(
        arguments.data, arguments.teachers, arguments.work, held_out=True, every=arguments.every
    )
    test_scores = scores_of(model, test_crops)
    np.save(arguments.work / "recapture_test" / f"scores-{arguments.every}.npy", test_scores)
    result["test"] = figures_of(test_scores, test_kinds, test_names)
    result["real samples: live, print, screen"] = smoke_test(model, arguments.data, arguments.teachers, arguments.work)
    result["unseen families"] = sorted(UNSEEN)
    write_figures(arguments.out / "figures" / "recapture.json", result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
