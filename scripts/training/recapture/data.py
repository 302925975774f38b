"""Simulated live captures and recaptures of the portraits, see `chain.py`: crops, periods and kinds.

Each half is simulated once and kept in the work folder.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from facematch_local.imaging.spectrum import period_of
from facematch_local.networks.recapture import RECAPTURE_SIZE, recapture_crop
from scripts.training.common.faces import find_faces
from scripts.training.common.image import Array
from scripts.training.common.photos import LONGEST, list_portraits, load_photo
from scripts.training.common.store import CropWriter, crops_in
from scripts.training.recapture.chain import PRINT_FAMILIES, SCREEN_FAMILIES, UNSEEN, Shot, live, printed, screen

KINDS = ("live", "print", "screen")
SIZES = {"wide": RECAPTURE_SIZE}
ROUNDS = {"lfw": 1, "asian_faces": 5, "masks": 3, "sunglasses": 3, "scenes": 8}


def sources(data: Path, teachers: Path, work: Path, held_out: bool) -> Iterator[tuple[str, str, Array, Array]]:
    """Path, set, photo and face box."""
    faces = find_faces(data, teachers, work / "faces.json")
    for photo in list_portraits(data):
        if photo.reserved == held_out and photo.path in faces and photo.source != "spoof":
            image = load_photo(data / photo.path, LONGEST)
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
        behind = [b for b in (load_photo(path, 500) for path in backgrounds(data, held_out)) if b is not None]
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
        simulated = seed % (20 if source == "lfw" else 3) == 0
        raw = ["raw"] if source != "lfw" or seed % 4 == 0 else []
        return [*raw, "live", "live", "print", "screen", *sorted(UNSEEN)] if simulated else raw
    kinds = ["raw"] if n == 0 else []
    simulated = ["live", ("print", "screen")[(seed // 8 + n) % 2]]
    return kinds + (simulated if source != "lfw" or seed % 4 == 0 else [])


def moved(box: Array, held_out: bool, rng: np.random.Generator) -> Array:
    """The box as another detector might give it."""
    side = max(box[2] - box[0], box[3] - box[1])
    shift = rng.normal(0, 0.03 if held_out else 0.06, 4) * side
    return box + shift.astype(np.float32)


def set_aside(path: str, source: str) -> bool:
    """A fifth of the training half, of LFW by person: never trained on either, to choose the limit on."""
    key = path.rpartition("/")[0] if source == "lfw" else path
    return zlib.crc32(key.encode()) % 5 == 0
