"""Make the recapture head: `recapture.py --data DATA --teachers TEACHERS --others PICTURES --work WORK`.

Finds the faces, simulates live captures and recaptures (`recapture_chain.py`), teaches a net from random numbers to see
what the teacher (MiniFASNet V2) sees (`recapture_distil.py`), fits a decision on its features, writes
`models/compact/heads/recapture.onnx` and `models/compact/figures/recapture.json`. Every stage keeps its result in the
work folder and is skipped when it is there.

Why so: a net taught on these captures alone finds nearly all made recaptures and neither of the real ones, for it has
seen made ones only. The teacher has seen real ones, but takes every tenth live photo, most blurred ones and nearly
every grey one for an attack. The decision keeps what it knows and learns what live photos look like: those are live
whatever the teacher says; a made recapture is one as far as the teacher sees it, or shows a strong period.
"""

from __future__ import annotations

import argparse
import json
import os
import zlib
from collections.abc import Iterable, Iterator
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
from recapture_distil import (
    CHANGES,
    ELSEWHERE,
    OTHER,
    Teacher,
    batches,
    elsewhere,
    mixed,
    other_things,
    taught,
    written,
)
from recapture_net import FEATURES, RecaptureNet
from store import CropWriter, crops_in
from torch import nn
from torch.nn import functional
from training import export

from facematch_local.imaging.spectrum import period_of
from facematch_local.networks.recapture import RECAPTURE_SIZE, recapture_crop

Array = np.ndarray[Any, Any]
ROOT = Path(__file__).resolve().parents[3]
KINDS = ("live", "print", "screen")
SIZES = {"wide": RECAPTURE_SIZE}
BATCH, DECISION_STEPS, RATE = 256, 3000, 2e-3
ROUNDS = {"lfw": 1, "asian_faces": 5, "masks": 3, "sunglasses": 3, "scenes": 8}
CERTAIN = 2.6  # a period (ln) that no live photo has: what shows it is a recapture, whatever else is seen


def sources(data: Path, teachers: Path, work: Path, held_out: bool) -> Iterator[tuple[str, str, Array, Array]]:
    """Path, set, photo and face box."""
    faces = find_faces(data, teachers, work / "faces.json")
    for photo in list_photos(data):
        if photo.held_out == held_out and photo.path in faces and photo.source != "spoof":
            image = read(data / photo.path)
            face = faces[photo.path]
            if image is not None and min(face.width, face.height) >= 24:
                yield photo.path, photo.source, image, face.box


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


def build(data: Path, teachers: Path, work: Path, held_out: bool) -> tuple[Array, Array, Array, list[list[str]]]:
    """Crops `wide` [N,80,80,3], periods [N], kinds 0..2 [N], and for each `[path, family, set]`."""
    folder = work / ("recapture_test" if held_out else "recapture_train")
    if not (folder / "names.json").exists():
        behind = [b for b in (read(path, 500) for path in backgrounds(data, held_out)) if b is not None]
        kinds: list[int] = []
        periods: list[float] = []
        names: list[list[str]] = []
        with CropWriter(folder, SIZES) as writer:
            for path, source, image, box in sources(data, teachers, work, held_out):
                for n in range(1 if held_out else ROUNDS[source]):
                    rng = np.random.default_rng((zlib.crc32(path.encode()), n))
                    for kind in wanted(path, source, n, held_out):
                        shot = make(image, box, kind, behind, rng)
                        period = period_of(shot.image, shot.box)
                        for _ in range(1 if held_out or shot.family == "raw" else 2):
                            writer.add({"wide": recapture_crop(shot.image, moved(shot.box, held_out, rng))})
                            kinds.append(KINDS.index(shot.kind))
                            periods.append(0.0 if period is None else period)
                            names.append([path, shot.family, source])
        np.save(folder / "kinds.npy", np.array(kinds))
        np.save(folder / "periods.npy", np.array(periods, np.float32))
        (folder / "names.json").write_text(json.dumps(names))
    names = json.loads((folder / "names.json").read_text())
    return crops_in(folder, SIZES)["wide"], np.load(folder / "periods.npy"), np.load(folder / "kinds.npy"), names


def wanted(path: str, source: str, n: int, held_out: bool) -> list[str]:
    """Which captures to make of a photo in round `n`."""
    seed = zlib.crc32(path.encode())
    if held_out:
        made = seed % (20 if source == "lfw" else 3) == 0
        raw = ["raw"] if source != "lfw" or seed % 4 == 0 else []
        return [*raw, "live", "live", "print", "screen", *sorted(UNSEEN)] if made else raw
    kinds = ["raw"] if n == 0 else []
    made = ["live", ("print", "screen")[(seed // 8 + n) % 2]]
    return kinds + (made if source != "lfw" or seed % 4 == 0 else [])


def moved(box: Array, held_out: bool, rng: np.random.Generator) -> Array:
    """The box as another detector might give it."""
    side = max(box[2] - box[0], box[3] - box[1])
    shift = rng.normal(0, 0.03 if held_out else 0.06, 4) * side
    return box + shift.astype(np.float32)


def samples(data: Path, teachers: Path, work: Path, others: list[Path]) -> Iterator[Array]:
    """Crops uint8 [80,80,3] for the distillation: what the teacher sees of them is asked anew."""
    wide, _, kinds, _ = build(data, teachers, work, held_out=False)
    rng = np.random.default_rng(7)
    last = np.asarray(wide[0])
    for change in range(CHANGES + 1):
        for index in range(len(wide)):
            crop = np.array(wide[index])
            if change:
                crop = augmented(crop, kinds[index] == 0, np.random.default_rng((index, change)))
            if change == CHANGES:
                crop = mixed(crop, last, rng)
            last = crop
            yield crop
    for _, _, image, box in sources(data, teachers, work, held_out=False):
        for _ in range(ELSEWHERE):
            crop = elsewhere(image, box, rng)
            yield augmented(crop, True, rng) if rng.random() < 0.5 else crop
    for crop in other_things(others, OTHER, rng):
        if rng.random() < 0.3:
            crop = mixed(crop, last, rng)
        yield augmented(crop, True, rng) if rng.random() < 0.5 else crop


def attack_of(wide: Array, teachers: Path, cache: Path) -> Array:
    """The teacher's probability of an attack [N] for crops uint8 [N,80,80,3]."""
    if not cache.exists():
        teacher = Teacher(teachers)
        parts = [teacher(np.asarray(wide[i : i + 64]))[0] for i in range(0, len(wide), 64)]
        np.save(cache, np.concatenate(parts))
    said: Array = np.load(cache)
    return said


@torch.no_grad()
def features_of(net: RecaptureNet, crops: Iterable[Array]) -> Array:
    """The net's features [N,128] of crops uint8 [80,80,3]."""
    return np.concatenate([net.sees(torch.from_numpy(batch))[:, :FEATURES].numpy() for batch in batches(crops, 128)])


def augmented(crop: Array, live: bool, rng: np.random.Generator) -> Array:
    """A crop in another light, mirrored, grey, softer, with noise, bars or compressed once more at times."""
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    gain = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3))
    gamma = np.exp(rng.normal(0, 0.15))
    table = np.clip(255 * (np.arange(256)[:, None] / 255) ** gamma * gain, 0, 255).astype(np.uint8)
    new: Array = cv2.LUT(np.ascontiguousarray(crop), table[:, None])
    if rng.random() < 0.2:
        new = cv2.cvtColor(cv2.cvtColor(new, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.15:
        new = cv2.GaussianBlur(new, (0, 0), rng.uniform(0.3, 0.9))
    if rng.random() < 0.2:
        noise = rng.normal(0, rng.uniform(1, 8), new.shape)
        new = np.clip(new + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        quality = int(rng.integers(50, 96))
        new = cv2.imdecode(cv2.imencode(".jpg", new, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1)
    if rng.random() < (0.15 if live else 0.03):  # bars that some app added: no camera gives them so even
        one, two = (int(v) for v in rng.uniform(0, 0.25, 2) * len(new))
        value = int(rng.choice([0, 128, 255]))
        view = new.transpose(1, 0, 2) if rng.random() < 0.7 else new
        view[:one], view[len(new) - two :] = value, value
    return new


def targets_of(kinds: Array, periods: Array, attack: Array) -> Array:
    """Probabilities to learn [N,3]: live is live; a made recapture is one as far as the teacher sees it."""
    share = np.where(kinds == 0, 0.02, 0.98 * np.where(periods > CERTAIN, 1.0, attack))
    out = np.zeros((len(kinds), 3), np.float32)
    out[:, 0] = 1 - share
    out[np.arange(len(kinds)), np.where(kinds == 0, 1, kinds)] += share
    out[kinds == 0, 1:] = 0.01
    return out


def decide(net: RecaptureNet, plain: Array, changed: Array, targets: Array, chances: Array) -> None:
    """Fit the net's decision on its features by multinomial regression.

    Args:
        net: what it has learned to see stays.
        plain: features [N,128] of the captures.
        changed: features of the same captures, augmented; one half of every batch.
        targets: probabilities [N,3].
        chances: how often each is drawn, cumulated [N].
    """
    inputs, wanted = (torch.from_numpy(plain), torch.from_numpy(changed)), torch.from_numpy(targets)
    nn.init.zeros_(net.decision.weight)
    nn.init.zeros_(net.decision.bias)
    optimiser = torch.optim.AdamW(net.decision.parameters(), RATE, weight_decay=0.05)
    rng = np.random.default_rng(0)
    for step in range(DECISION_STEPS):
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - step / DECISION_STEPS) + 1e-5
        chosen = np.searchsorted(chances, rng.random(BATCH) * chances[-1])
        change = torch.from_numpy(rng.random(BATCH) < 0.5)[:, None]
        seen = torch.where(change, inputs[1][chosen], inputs[0][chosen])
        loss = functional.cross_entropy(net.decision(seen), wanted[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def set_aside(path: str, source: str) -> bool:
    """A fifth of the training half, of LFW by person: never trained on either, to choose the limit on."""
    key = path.rpartition("/")[0] if source == "lfw" else path
    return zlib.crc32(key.encode()) % 5 == 0


def chances_of(kinds: Array, names: list[list[str]]) -> Array:
    """How often each capture is drawn, cumulated: live twice as often as a kind of attack, small sets more often."""
    groups = [f"{kind} {name[2]} {name[1] == 'raw'}" for kind, name in zip(kinds, names, strict=True)]
    _, index, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weights = counts[index] ** -0.5
    weights[[set_aside(name[0], name[2]) for name in names]] = 0
    for kind in range(3):
        weights[kinds == kind] *= (2.0, 1.0, 1.0)[kind] / weights[kinds == kind].sum()
    return np.asarray(weights.cumsum())


def _session(model: str | bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def scores_of(model: Path, wide: Array, periods: Array) -> Array:
    """Probabilities [N,3] through the exported file."""
    session, parts = _session(str(model)), []
    for i in range(0, len(wide), 32):
        inputs = {"wide": np.asarray(wide[i : i + 32]), "period": periods[i : i + 32, None].astype(np.float32)}
        parts.append(session.run(["scores"], inputs)[0])
    return np.concatenate(parts)


def figures_of(scores: Array, kinds: Array, names: list[list[str]]) -> dict[str, Any]:
    """1 - live as attack score: by family against all live, and the share of real live photos above each threshold."""
    attack = 1 - scores[:, 0]
    family = np.array([name[1] for name in names])
    source = np.array([name[2] for name in names])
    is_live = kinds == 0
    out: dict[str, Any] = {"all made recaptures": operating_points(attack, ~is_live)}
    for name in sorted(set(family[~is_live])):
        chosen = is_live | (family == name)
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
    spoof = ~is_live
    out["print told from screen"] = round(float(((scores[:, 1] > scores[:, 2]) == (kinds == 1))[spoof].mean()), 4)
    return out


def smoke_test(model: Path, data: Path, teachers: Path, work: Path) -> dict[str, list[float]]:
    """Live, print, screen of the few real samples there are: no measurement."""
    faces = find_faces(data, teachers, work / "faces.json")
    out = {}
    for photo in list_photos(data):
        image = read(data / photo.path) if photo.source == "spoof" and photo.path in faces else None
        if image is not None:
            box = faces[photo.path].box
            periods = np.array([period_of(image, box) or 0.0])
            scores = scores_of(model, recapture_crop(image, box)[None], periods)
            out[photo.path] = [round(float(v), 3) for v in scores[0]]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "teachers", "others", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=5000, help="of the distillation")
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "compact")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    data, teachers, work = arguments.data, arguments.teachers, arguments.work
    wide, periods, kinds, names = build(data, teachers, work, held_out=False)
    print(f"{len(kinds)} captures, {np.bincount(kinds).tolist()} live, print, screen", flush=True)
    distil = work / "recapture_distil"
    if not (distil / "features.f32").exists():
        written(samples(data, teachers, work, sorted(arguments.others.iterdir())), Teacher(teachers), distil)
    net = taught(distil, arguments.steps, work / "recapture.pt")
    attack = attack_of(wide, teachers, work / "recapture_train" / "attack.npy")
    again = (augmented(np.array(c), kinds[i] == 0, np.random.default_rng(i)) for i, c in enumerate(wide))
    plain, changed = features_of(net, wide), features_of(net, again)
    decide(net, plain, changed, targets_of(kinds, periods, attack), chances_of(kinds, names))
    model = arguments.out / "heads" / "recapture.onnx"
    example = (torch.zeros(1, RECAPTURE_SIZE, RECAPTURE_SIZE, 3, dtype=torch.uint8), torch.zeros(1, 1))
    export(net, example, model, int8=True)
    apart = np.array([set_aside(path, source) for path, _, source in names])
    kept = [name for name, chosen in zip(names, apart, strict=True) if chosen]
    result: dict[str, Any] = {
        "steps": arguments.steps,
        "set aside": figures_of(scores_of(model, wide[apart], periods[apart]), kinds[apart], kept),
        "families tested only": sorted(UNSEEN),
        "real samples: live, print, screen": smoke_test(model, data, teachers, work),
    }
    print(json.dumps(result, indent=1), flush=True)
    wide, periods, kinds, names = build(data, teachers, work, held_out=True)
    result["test"] = figures_of(scores_of(model, wide, periods), kinds, names)
    write_figures(arguments.out / "figures" / "recapture.json", result)
    print(json.dumps(result["test"], indent=1))


if __name__ == "__main__":
    main()
