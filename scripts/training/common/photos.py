"""The photos of the data folder: their sets, labels and side of the split.

The split is the project's (`scripts.development.split`): by person where people are named, by photo elsewhere.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2

from scripts.development.split import held_out, held_out_people
from scripts.training.common.image import Array

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
SETS = ("lfw", "asian_faces", "masks", "sunglasses", "scenes", "groups", "no_card", "cards", "photocopies")
PORTRAIT_SETS = ("lfw", "asian_faces", "masks", "sunglasses", "scenes", "spoof")
OF_PEOPLE = ("lfw", "asian_faces")  # sets with one folder per person
ONE_EACH = ("east_asian_people",)  # sets with one photo per person
LABELS = {"sunglasses": "sunglasses", "mask": "mask", "no_mask": "bare", "hat_pseudo": "hat"}
LABELS["eyewear_pseudo_mostly_eyeglasses"] = "eyewear"

# no_card photos in which a person, or a printed picture of one, can be seen (looked at one by one). A face
# found there is not a false one, so they are left out of the false-face figure and never used as negatives.
NO_CARD_WITH_PEOPLE = frozenset(
    f"{n:04d}" for n in (4, 19, 32, 44, 54, 57, 63, 70, 80, 96, 99, 103, 112, 118, 124, 125, 136, 139, 140, 148)
)
LONG_SIDE = 640  # pixels of a photo that is labelled or composed
LONGEST = 1600  # pixels of a photo that crops are cut from


@dataclass(frozen=True)
class Photo:
    """One photo.

    Attributes:
        path: relative to the data folder, with forward slashes.
        source: the set that it belongs to.
        held_out: the project holds it out; no training reads it.
        label: short form of its label in labels.csv, "" without one.
        reserved: held out, or of the half of the named people that the trainings on portraits keep for their figures:
            the project's split alone leaves too few hats and glasses.
        lent: reserved but not held out, and the occlusion network is trained on it as well, since there are few hats.
    """

    path: str
    source: str
    held_out: bool
    label: str = ""
    reserved: bool = False
    lent: bool = False

    @property
    def occlusion_trains_on_it(self) -> bool:
        """Whether the occlusion network is trained on it."""
        return self.lent or not self.reserved


def list_photos(data: Path, sets: tuple[str, ...] = SETS, labels: Mapping[str, str] | None = None) -> list[Photo]:
    """Every photo of the sets in a fixed order: by set, then by path.

    Args:
        data: the data folder.
        sets: names of its folders.
        labels: short label by path.

    Raises:
        FileNotFoundError: the data folder has LFW without its list of pairs, which decides who is held out.
    """
    pairs = data / "lfw_pairs.csv"
    if (data / "lfw").is_dir() and not pairs.is_file():
        raise FileNotFoundError(f"{pairs}: missing; without it the test people of LFW would be trained on")
    people = held_out_people(pairs)
    photos = []
    for source in sets:
        for file in sorted((data / source).rglob("*")):
            if file.suffix.lower() not in SUFFIXES:
                continue
            path = file.relative_to(data).as_posix()
            held = source == "spoof" or held_out(path, people)  # there are too few real recaptures to train on
            digest = hashlib.sha256(f"{source}/{file.parent.name}".encode()).digest()
            other_half = source in OF_PEOPLE and digest[0] % 2 == 1
            # The split reads the first byte of the same digest.
            other_half |= source in ONE_EACH and hashlib.sha256(path.encode()).digest()[1] % 2 == 1
            lent = source in OF_PEOPLE and other_half and not held and digest[1] % 2 == 0
            photos.append(Photo(path, source, held, (labels or {}).get(path, ""), held or other_half, lent))
    return photos


def list_portraits(data: Path, sets: tuple[str, ...] = PORTRAIT_SETS) -> list[Photo]:
    """Every photo of the sets with its label, in a fixed order."""
    labels = {row["path"]: LABELS.get(row["label"], "") for row in read_rows(data / "labels.csv")}
    return list_photos(data, sets, labels)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file with a heading: `labels.csv`, or a list of what was seen on contact sheets."""
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def load_photo(path: Path, long_side: int = LONG_SIDE) -> Array | None:
    """BGR uint8 [H,W,3], reduced to at most `long_side`; None where OpenCV cannot read the file."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        return None
    scale = long_side / max(image.shape[:2])
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
