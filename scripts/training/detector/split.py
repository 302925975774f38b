"""Who is trained on and who is kept for the test: by person where people are named, by photo elsewhere."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
TEST_FOLDS = {"7", "8"}
SETS = ("lfw", "asian_faces", "masks", "sunglasses", "scenes", "groups", "no_card", "cards", "photocopies")

# no_card photos in which a person, or a printed picture of one, can be seen (looked at one by one). A face
# found there is not a false one, so they are left out of the false-face figure and never used as negatives.
NO_CARD_WITH_PEOPLE = frozenset(
    f"{n:04d}" for n in (4, 19, 32, 44, 54, 57, 63, 70, 80, 96, 99, 103, 112, 118, 124, 125, 136, 139, 140, 148)
)


@dataclass(frozen=True)
class Photo:
    """One photo: `path` relative to the data folder, its set and whether it is kept for the test."""

    path: str
    source: str
    held_out: bool


def _odd(text: str) -> bool:
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 1


def held_out_lfw_people(data: Path) -> frozenset[str]:
    """People named in the LFW pairs of folds 7 and 8 (the official folds share no person)."""
    with (data / "lfw_pairs.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["fold"] in TEST_FOLDS]
    return frozenset(row[column].split("/")[1] for row in rows for column in ("path1", "path2"))


def list_photos(data: Path) -> list[Photo]:
    """Every photo of the sets used here, in a fixed order."""
    lfw_test = held_out_lfw_people(data)
    photos = []
    for source in SETS:
        for file in sorted((data / source).rglob("*")):
            if file.suffix.lower() not in SUFFIXES:
                continue
            path = file.relative_to(data).as_posix()
            person = file.parent.name
            if source == "lfw":
                held_out = person in lfw_test
            elif source == "asian_faces":
                held_out = int(person.lstrip("p")) % 2 == 0
            else:
                held_out = _odd(path)
            photos.append(Photo(path, source, held_out))
    return photos
