"""The pictures that views of documents are composed of; only the training half of the photos is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from facematch_local.networks.document import DocumentNetwork
from scripts.development.split import held_out
from scripts.training.common.faces import find_faces
from scripts.training.common.image import Array
from scripts.training.common.photos import LONGEST, Photo, list_portraits, load_photo

KEPT = 360  # pixels of a picture kept in memory
SEED = 5
MISTAKEN = 0.3  # probability of a document from which a picture without one counts as mistaken for one
REPEATED = 3  # further copies of these


@dataclass(frozen=True)
class Stock:
    """What views are composed of, BGR uint8 [H,W,3] each.

    Attributes:
        faces: heads and shoulders.
        people: photos of people without any document.
        things: photos and pictures with neither.
        documents: real documents, cut out flat.
        copies: real grey copies of documents, cut out flat.
    """

    faces: list[Array]
    people: list[Array]
    things: list[Array]
    documents: list[Array]
    copies: list[Array]


def load_stock(
    data: Path,
    teachers: Path,
    others: list[Path],
    faces: Path,
    most: int,
    copies: list[Array],
    earlier: DocumentNetwork | None,
) -> Stock:
    """Everything views are composed of.

    Args:
        data: the data folder.
        teachers: the folder of the teachers.
        others: folders of pictures without documents.
        faces: file that keeps the faces found.
        most: of the LFW photos, and of the other pictures.
        copies: real grey copies, cut out flat.
        earlier: a document network trained before: pictures that it mistakes for documents count for more.
    """
    found = find_faces(data, teachers, faces)
    lfw, pictures = shuffled(data, others)
    small_sets = ("asian_faces", "masks", "sunglasses", "scenes")
    chosen = lfw[:most] + [photo for photo in list_portraits(data) if not photo.reserved and photo.source in small_sets]
    people, portraits = [], []
    for photo in chosen:
        picture = load_photo(data / photo.path, LONGEST)
        if picture is None:
            continue
        face = found.get(photo.path)
        if face is not None and photo.source in ("lfw", "asian_faces"):
            middle, side = (face.box[:2] + face.box[2:]) / 2, float(max(face.width, face.height))
            x0, y0 = np.maximum(middle - side * np.array([0.8, 0.95]), 0).astype(int)
            x1, y1 = (middle + side * np.array([0.8, 1.05])).astype(int)
            portrait = small(picture[y0:y1, x0:x1], 140)
            if portrait is not None:
                portraits.append(portrait)
        people.append(small(picture))
    people += loaded(training_files(data, "groups"))
    # The photos without a document count ten times: they are real photos of the kind that matters.
    things = loaded(pictures[:most], 256)
    things += REPEATED * mistaken(things, earlier) + 10 * loaded(training_files(data, "no_card"))
    documents = loaded(training_files(data, "cards"), 480)
    shown = [p for p in people if p is not None]
    return Stock(portraits, shown + REPEATED * mistaken(shown, earlier), things, documents, copies)


def shuffled(data: Path, others: list[Path]) -> tuple[list[Photo], list[Path]]:
    """The LFW photos of the training half and the other pictures, in the order in which `load_stock` takes them."""
    rng = np.random.default_rng(SEED)
    lfw = [photo for photo in list_portraits(data) if not photo.reserved and photo.source == "lfw"]
    pictures = [path for folder in others for path in sorted(folder.iterdir())]
    return [lfw[i] for i in rng.permutation(len(lfw))], [pictures[i] for i in rng.permutation(len(pictures))]


def training_files(data: Path, source: str) -> list[Path]:
    """Files of an unnamed set, training half."""
    return [file for file in sorted((data / source).iterdir()) if not held_out(f"{source}/{file.name}")]


def mistaken(pictures: list[Array], earlier: DocumentNetwork | None) -> list[Array]:
    """Those that a network trained before takes for documents, or nearly."""
    return [p for p in pictures if earlier is not None and earlier.predict(p, None).document > MISTAKEN]


def loaded(files: list[Path], longest: int = KEPT) -> list[Array]:
    """Those that can be read."""
    return [picture for picture in (small(load_photo(file, LONGEST), longest) for file in files) if picture is not None]


def small(picture: Array | None, longest: int = KEPT) -> Array | None:
    """At most `longest` pixels on the longer side."""
    if picture is None or min(picture.shape[:2]) < 24:
        return None
    scale = longest / max(picture.shape[:2])
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
