"""The crops that the occlusion network learns from and is measured on: photos with reviewed labels, some drawn on.

Each half is built once and kept in the work folder; after a change of the labels, take a new folder.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import cv2
import numpy as np

from facematch_local.networks.occlusion import OCCLUSION_SIZE
from scripts.training.common.faces import find_faces
from scripts.training.common.image import Array
from scripts.training.common.landmarkers import Mesh
from scripts.training.common.photos import LONGEST, Photo, list_portraits, load_photo, read_rows
from scripts.training.common.store import CropWriter, crops_in
from scripts.training.occlusion.canvas import MARGIN, SCALE, STORED, canvas_of, mesh_on, stored
from scripts.training.occlusion.occluders import UNKNOWN, Labels, draw

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
DRAWN_PER_PHOTO = {"lfw": 1, "asian_faces": 3, "masks": 2, "sunglasses": 2, "scenes": 3}
LFW_DRAWN_ON = 0.5  # share of the LFW photos drawn on
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


def build(data: Path, teachers: Path, work: Path, held_out: bool) -> tuple[Array, Array, list[str]]:
    """Crops uint8 [N,160,160,3], labels int8 [N,4] and, for each, `path` or `path#n` for the n-th drawn version."""
    folder = work / ("occlusion_test" if held_out else "occlusion_train")
    if not (folder / "names.json").exists():
        faces = find_faces(data, teachers, work / "faces.json")
        photos = [p for p in list_portraits(data) if p.path in faces and p.source != "spoof"]
        photos = [p for p in photos if p.occlusion_trains_on_it != held_out]
        known = known_labels(photos)
        points = Mesh(teachers)
        labels: list[list[int]] = []
        names: list[str] = []
        with CropWriter(folder, SIZES) as writer:
            for photo in photos:
                chance = zlib.crc32(photo.path.encode()) / 2**32
                if photo.path not in known or (
                    held_out and (photo.source, photo.label) == ("lfw", "") and chance > LFW_TESTED_ON
                ):
                    continue
                image = load_photo(data / photo.path, LONGEST)
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
                mesh = mesh_on(canvas, points) if drawn else canvas
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


def plain(crops: Array) -> Array:
    """The network's own view of stored crops, [N,112,112,3]."""
    scale = SCALE / 2
    matrix = np.array([[scale, 0, MARGIN / 2], [0, scale, MARGIN / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.stack([cv2.warpAffine(crop, matrix, (OCCLUSION_SIZE,) * 2, flags=flags) for crop in crops])
