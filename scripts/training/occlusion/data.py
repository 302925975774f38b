"""The crops that the occlusion network learns from and is measured on: photos with reviewed labels, some drawn on.

Each half is built once and kept in the work folder; after a change of the labels, take a new folder.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np

from facematch_local.faces import Face
from facematch_local.networks.occlusion import OCCLUSION_SIZE
from scripts.training.common.faces import find_faces
from scripts.training.common.image import Array
from scripts.training.common.landmarkers import Mesh
from scripts.training.common.photos import LONGEST, PORTRAIT_SETS, Photo, list_portraits, load_photo, read_rows
from scripts.training.common.store import CropWriter, crops_in
from scripts.training.occlusion.canvas import MARGIN, SCALE, STORED, canvas_of, mesh_on, stored
from scripts.training.occlusion.occluders import UNKNOWN, Labels, draw
from scripts.training.occlusion.transplant import transplanted

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
OUTPUTS = ("sunglasses", "clear_glasses", "mask", "head_covering")
SETS_USED = (*(name for name in PORTRAIT_SETS if name != "spoof"), "east_asian_people")
DRAWN_PER_PHOTO = {"lfw": 1, "asian_faces": 3, "masks": 2, "sunglasses": 2, "scenes": 3, "east_asian_people": 3}
HEADS_PER_HAT, HEADS_PER_HAIR = 3, 3  # other faces under a photo's hat, and under its hair (east_asian_people)
LFW_DRAWN_ON = 0.5  # share of the LFW photos drawn on
LFW_AGAIN = 0.4  # share of the unlabelled LFW photos in a training that goes on from weights that have seen all
LFW_TESTED_ON = 0.4  # share of the unlabelled held-out LFW photos in the figures
SIZES = {"face": STORED}

BY_LABEL = {
    "": Labels(clear_glasses=UNKNOWN),
    "hat": Labels(clear_glasses=UNKNOWN, head_covering=1),
    "eyewear": Labels(clear_glasses=1),
    "mask": Labels(clear_glasses=UNKNOWN, mask=1, head_covering=UNKNOWN),
    "bare": Labels(clear_glasses=UNKNOWN),
    "sunglasses": Labels(sunglasses=1),
}


@cache
def reviewed() -> dict[str, dict[str, str]]:
    """By path, what was seen on contact sheets: "unusable" or an output's name, and "1", "0" or "-1" (undecidable).

    Where a photo was looked at for both lists, `occlusion_review.csv` holds: it is the later look.
    """
    seen: dict[str, dict[str, str]] = {}
    for row in read_rows(HAT_REVIEW):
        seen[row["path"]] = dict(NOTES[note] for note in row["why"].split(" and ") if note in NOTES)
    for row in read_rows(REVIEW):
        noted = {name: value for name, value in row.items() if value and name != "path"}
        seen[row["path"]] = {**seen.get(row["path"], {}), **noted}
    return seen


def known_labels(photos: list[Photo]) -> dict[str, Labels]:
    """Labels of each usable photo: labels.csv, corrected by what was seen on the contact sheets."""
    seen = reviewed()
    out = {}
    for photo in photos:
        noted = seen.get(photo.path, {})
        if noted.get("unusable") == "1":
            continue
        labels = BY_LABEL[photo.label]
        changes = {name: int(noted[name]) for name in OUTPUTS if name in noted}
        out[photo.path] = Labels(**{**{name: getattr(labels, name) for name in OUTPUTS}, **changes})
    return out


def build(data: Path, teachers: Path, work: Path, held_out: bool, lfw: float = 1.0) -> tuple[Array, Array, list[str]]:
    """Crops uint8 [N,160,160,3], labels int8 [N,4] and, for each, `path` or `path#n` for the n-th drawn version.

    Args:
        data: the data folder.
        teachers: folder of the teachers.
        work: folder for the crops.
        held_out: the half for figures, not the one for training.
        lfw: share of the unlabelled LFW photos to train on.
    """
    share = LFW_TESTED_ON if held_out else lfw
    folder = work / ("occlusion_test" if held_out else "occlusion_train")
    if not (folder / "names.json").exists():
        every = list_portraits(data, SETS_USED)
        known = known_labels(every)
        photos = [p for p in every if p.path in known and p.occlusion_trains_on_it != held_out and _used(p, share)]
        faces = find_faces(data, teachers, work / "faces.json", photos)
        rows, drawn_of = _Rows(), partial(_drawn, held_out=held_out, share=share)
        with CropWriter(folder, SIZES) as writer:
            bank = _draw_photos(photos, faces, known, data, Mesh(teachers), writer, rows, drawn_of)
            if not held_out:
                _transplant(bank, known, writer, rows)
        np.save(folder / "labels.npy", np.array(rows.labels, np.int8))
        (folder / "names.json").write_text(json.dumps(rows.names))
    names = json.loads((folder / "names.json").read_text())
    return crops_in(folder, SIZES)["face"], np.load(folder / "labels.npy"), names


class _Rows:
    """Labels and names of the crops written so far."""

    def __init__(self) -> None:
        self.labels: list[list[int]] = []
        self.names: list[str] = []

    def add(self, name: str, labels: Labels) -> None:
        self.labels.append(labels.row())
        self.names.append(name)


Bank = dict[str, tuple[Array, Array]]  # by path, canvas and mesh


def _used(photo: Photo, lfw: float) -> bool:
    labelled = (photo.source, photo.label) != ("lfw", "") or photo.path in reviewed()
    return labelled or _chance(photo.path) <= lfw


def _chance(path: str) -> float:
    return zlib.crc32(path.encode()) / 2**32


def _drawn(photo: Photo, held_out: bool, share: float) -> int:
    if held_out:
        return int(_chance(photo.path) < 0.1)
    if photo.source == "lfw" and _chance(photo.path) > LFW_DRAWN_ON * share:
        return 0
    return DRAWN_PER_PHOTO[photo.source]


def _draw_photos(
    photos: list[Photo],
    faces: Mapping[str, Face],
    known: Mapping[str, Labels],
    data: Path,
    points: Mesh,
    writer: CropWriter,
    rows: _Rows,
    drawn_of: Callable[[Photo], int],
) -> Bank:
    """Write every photo as it is and its drawn versions; returns the canvases that faces and hats are taken from."""
    bank: Bank = {}
    for photo in photos:
        image = load_photo(data / photo.path, LONGEST) if photo.path in faces else None
        if image is None:
            continue
        canvas, labels = canvas_of(image, faces[photo.path]), known[photo.path]
        writer.add({"face": stored(canvas)})
        rows.add(photo.path, labels)
        drawn = drawn_of(photo)
        kept = labels.head_covering == 1 or photo.source in ("east_asian_people", "asian_faces") or drawn
        mesh = mesh_on(canvas, points) if kept else canvas
        if kept:
            bank[photo.path] = canvas, mesh
        for n in range(drawn):
            rng = np.random.default_rng((zlib.crc32(photo.path.encode()), n))
            changed, row = draw(canvas, mesh, labels, rng)
            writer.add({"face": stored(changed)})
            rows.add(f"{photo.path}#{n}", row)
    return bank


def _transplant(bank: Bank, known: Mapping[str, Labels], writer: CropWriter, rows: _Rows) -> None:
    """Write other faces under real hats, and under the hair of East Asian people."""
    paths = sorted(bank)
    bare = [path for path in paths if known[path].mask == 0 and known[path].sunglasses == 0]
    asian = [path for path in bare if path.split("/")[0] in ("east_asian_people", "asian_faces")]
    for path in paths:
        hat = known[path].head_covering == 1
        if known[path].mask != 0 or not (hat or (path in asian and known[path].head_covering == 0)):
            continue
        rng = np.random.default_rng((zlib.crc32(path.encode()), 1000))
        for n in range(HEADS_PER_HAT if hat else HEADS_PER_HAIR):
            pool = asian if hat and n < HEADS_PER_HAT - 1 else bare
            other = pool[rng.integers(len(pool))]
            changed = transplanted(*bank[path], *bank[other], rng)
            writer.add({"face": stored(changed)})
            rows.add(f"{path}#t{n}", replace(known[other], head_covering=known[path].head_covering))


def plain(crops: Array) -> Array:
    """The network's own view of stored crops, [N,112,112,3]."""
    scale = SCALE / 2
    matrix = np.array([[scale, 0, MARGIN / 2], [0, scale, MARGIN / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.stack([cv2.warpAffine(crop, matrix, (OCCLUSION_SIZE,) * 2, flags=flags) for crop in crops])
