"""Which photos there are, on which side of the split they lie, and the face in each (found by YuNet)."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facematch_local.faces import Face
from scripts.development.split import held_out, held_out_people

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
SETS = ("lfw", "asian_faces", "masks", "sunglasses", "scenes", "spoof")
LABELS = {"sunglasses": "sunglasses", "mask": "mask", "no_mask": "bare", "hat_pseudo": "hat"}
LABELS["eyewear_pseudo_mostly_eyeglasses"] = "eyewear"


@dataclass(frozen=True)
class Photo:
    """One photo.

    Attributes:
        path: relative to the data folder.
        source: the set it belongs to.
        label: what labels.csv says of it, in short ("" for nothing).
        held_out: kept for the figures; not trained on unless `lent`.
        lent: held out by these scripts, not by the project (`development.split`), and of the half of those people whom
            the occlusion head is trained on as well: there are few hats.
    """

    path: str
    source: str
    label: str
    held_out: bool
    lent: bool = False

    @property
    def trained_on(self) -> bool:
        """Whether the occlusion head is trained on it."""
        return self.lent or not self.held_out


def list_photos(data: Path) -> list[Photo]:
    """Every photo of `SETS` in a fixed order.

    Held out is whatever the project holds out (`development.split`), and of LFW and asian_faces half of all people, so
    that there are enough hats and glasses to test on.
    """
    people = held_out_people(data / "lfw_pairs.csv")
    labels = {row["path"]: LABELS.get(row["label"], "") for row in read_rows(data / "labels.csv")}
    photos = []
    for source in SETS:
        for file in sorted((data / source).rglob("*")):
            if file.suffix.lower() not in SUFFIXES:
                continue
            path = file.relative_to(data).as_posix()
            by_person = source in ("lfw", "asian_faces")
            person = f"{source}/{file.parent.name}"
            digest = hashlib.sha256(person.encode()).digest()
            other_half = by_person and digest[0] % 2 == 1
            held_out_by_project = source == "spoof" or held_out(path, people)
            lent = other_half and not held_out_by_project and digest[1] % 2 == 0
            photos.append(Photo(path, source, labels.get(path, ""), other_half or held_out_by_project, lent))
    return photos


def read_rows(path: Path) -> list[dict[str, str]]:
    """A CSV file with a heading, row by row: `labels.csv`, or a list of what was seen on contact sheets."""
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def read(path: Path, long_side: int = 1600) -> NDArray[np.uint8] | None:
    """BGR uint8, at most `long_side` on the longer side; None where OpenCV cannot read it."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        return None
    scale = long_side / max(image.shape[:2])
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image


class FaceFinder:
    """YuNet; faces of a photo, the most prominent first."""

    def __init__(self, teachers: Path, threshold: float = 0.6) -> None:
        model = str(teachers / "det_yunet" / "yunet_n_dynamic.onnx")
        self._net = cv2.FaceDetectorYN.create(model, "", (320, 320), threshold, 0.4, 500)

    def __call__(self, image: NDArray[np.uint8]) -> list[Face]:
        """Searched at two sizes with a grey margin, so that faces filling the frame are found too."""
        for long_side, margin in ((400, 0.15), (220, 0.4), (800, 0.05)):
            scale = long_side / max(image.shape[:2])
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
            pad = int(margin * long_side)
            framed = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(127, 127, 127))
            self._net.setInputSize((framed.shape[1], framed.shape[0]))
            found = self._net.detect(framed)[1]
            if found is not None:
                break
        else:
            return []
        found = found.copy()
        found[:, 2:4] += found[:, :2]
        found[:, :14] = (found[:, :14] - pad) / scale
        middle = np.array([image.shape[1] / 2, image.shape[0] / 2])
        offset = np.linalg.norm((found[:, :2] + found[:, 2:4]) / 2 - middle, axis=1) / max(image.shape[:2])
        size = np.sqrt(np.prod(np.maximum(found[:, 2:4] - found[:, :2], 1), axis=1))
        order = np.argsort(-size * (1 - offset))
        return [Face(f[:4], f[4:14].reshape(5, 2), float(f[14])) for f in found[order]]


def find_faces(data: Path, teachers: Path, cache: Path) -> dict[str, Face]:
    """The main face of every photo that has one; found once, then read from `cache` (JSON)."""
    known: dict[str, list[float]] = json.loads(cache.read_text()) if cache.exists() else {}
    missing = [photo for photo in list_photos(data) if photo.path not in known]
    finder = FaceFinder(teachers)
    for photo in missing:
        image = read(data / photo.path)
        faces = finder(image) if image is not None else []
        face = faces[0] if faces else None
        known[photo.path] = [*face.box.tolist(), *face.landmarks.ravel().tolist(), face.score] if face else []
    if missing:
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps({path: [round(v, 2) for v in values] for path, values in known.items()}))
    rows = {path: np.array(values, np.float32) for path, values in known.items() if values}
    return {path: Face(row[:4], row[4:14].reshape(5, 2), float(row[14])) for path, row in rows.items()}
