"""The views that the document head learns from, made once: `views.npy` uint8 [N,S,S,3], `masks.npy` uint8 [N,24,24].

Masks hold the share of each place that is document, 0 to 200; 255 where nobody knows. Half of the views show one.
`copies.npy` uint8 [N]: 1 where that is a grey copy, 0 where it is none, 255 where nobody knows.
Only the training half of the photos is read.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import paths  # noqa: F401
from canvas import Array
from photos import FaceFinder, Photo, find_faces, list_photos, read
from scenes import Stock, view
from views import finished, joined, opened, started

from facematch_local.documents.printed import Document, find_document
from facematch_local.faces import Face
from facematch_local.imaging.perspective import rectified
from facematch_local.networks.document import DOCUMENT_PLACES, DOCUMENT_SIZE, DocumentNetwork, document_view
from scripts.development.split import held_out

FULL, UNKNOWN = 200, 255
LONGEST = 360  # pixels of a picture kept in memory
SEED = 5
MISTAKEN = 0.3  # probability of a document from which a picture without one counts as mistaken for one
REPEATED = 3  # further copies of these
SEEN = 3.5  # of the four edges of a real document, to trust where they are


def small(picture: Array | None, longest: int = LONGEST) -> Array | None:
    """At most `longest` pixels on the longer side."""
    if picture is None or min(picture.shape[:2]) < 24:
        return None
    scale = longest / max(picture.shape[:2])
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture


def training_files(data: Path, source: str) -> list[Path]:
    """Files of an unnamed set, training half."""
    return [file for file in sorted((data / source).iterdir()) if not held_out(f"{source}/{file.name}")]


def loaded(files: list[Path], longest: int = LONGEST) -> list[Array]:
    """Those that can be read."""
    return [picture for picture in (small(read(file), longest) for file in files) if picture is not None]


def shuffled(data: Path, others: list[Path]) -> tuple[list[Photo], list[Path]]:
    """The LFW photos of the training half and the other pictures, in the order in which `load_stock` takes them."""
    rng = np.random.default_rng(SEED)
    lfw = [photo for photo in list_photos(data) if not photo.held_out and photo.source == "lfw"]
    pictures = [path for folder in others for path in sorted(folder.iterdir())]
    return [lfw[i] for i in rng.permutation(len(lfw))], [pictures[i] for i in rng.permutation(len(pictures))]


def mistaken(pictures: list[Array], earlier_head: DocumentNetwork | None) -> list[Array]:
    """Those that a head trained before takes for documents, or nearly."""
    return [p for p in pictures if earlier_head is not None and earlier_head.predict(p, None).document > MISTAKEN]


def load_stock(
    data: Path,
    teachers: Path,
    others: list[Path],
    faces: Path,
    most: int,
    copies: list[Copy],
    earlier_head: DocumentNetwork | None,
) -> Stock:
    """Everything views are composed of; `most` of the LFW photos and of the other pictures."""
    found = find_faces(data, teachers, faces)
    lfw, pictures = shuffled(data, others)
    small_sets = ("asian_faces", "masks", "sunglasses", "scenes")
    chosen = lfw[:most] + [photo for photo in list_photos(data) if not photo.held_out and photo.source in small_sets]
    people, heads = [], []
    for photo in chosen:
        picture = read(data / photo.path)
        if picture is None:
            continue
        face = found.get(photo.path)
        if face is not None and photo.source in ("lfw", "asian_faces"):
            middle, side = (face.box[:2] + face.box[2:]) / 2, float(max(face.width, face.height))
            x0, y0 = np.maximum(middle - side * np.array([0.8, 0.95]), 0).astype(int)
            x1, y1 = (middle + side * np.array([0.8, 1.05])).astype(int)
            head = small(picture[y0:y1, x0:x1], 140)
            if head is not None:
                heads.append(head)
        people.append(small(picture))
    people += loaded(training_files(data, "groups"))
    # The photos without a document count for ten of the pictures: they are the real thing.
    things = loaded(pictures[:most], 256)
    things += REPEATED * mistaken(things, earlier_head) + 10 * loaded(training_files(data, "no_card"))
    flat = [rectified(copy.picture, copy.found.corners, 400) for copy in copies if copy.found.edges >= SEEN]
    documents = loaded(training_files(data, "cards"), 480)
    shown = [p for p in people if p is not None]
    return Stock(heads, shown + REPEATED * mistaken(shown, earlier_head), things, documents, flat)


@dataclass(frozen=True, eq=False)
class Copy:
    """A real copy, BGR uint8 [H,W,3], with the face on it and where the classical measure sees it."""

    picture: Array
    face: Face
    found: Document


def real_copies(data: Path, teachers: Path) -> list[Copy]:
    """Those of the training half on which a face is found."""
    finder, out = FaceFinder(teachers), []
    for file in training_files(data, "photocopies"):
        picture = read(file)
        faces = finder(picture) if picture is not None else []
        if picture is not None and faces:
            out.append(Copy(picture, faces[0], find_document(picture, faces[0])))
    return out


def real_views(copies: list[Copy], rng: np.random.Generator, each: int) -> list[tuple[Array, Array]]:
    """Views of the real copies, as the library and any other framing would show them, with their masks."""
    out = []
    for copy in copies:
        picture, corners = copy.picture, copy.found.corners
        mask = np.full(picture.shape[:2], UNKNOWN, np.uint8)
        if copy.found.edges >= SEEN:
            mask[:] = 0
            cv2.fillConvexPoly(mask, np.round(corners).astype(np.int32), (FULL,))
        out.append((document_view(picture, copy.face), _places(document_view(_channels(mask), copy.face))))
        low, high, limits = corners.min(axis=0), corners.max(axis=0), np.array(picture.shape[1::-1])
        for _ in range(each):
            reach = (high - low) * np.exp(rng.uniform(np.log(0.03), np.log(1.5), (2, 2)))
            x0, y0 = np.clip(low - reach[0], 0, limits - 9).astype(int)
            x1, y1 = np.clip(high + reach[1], [x0 + 8, y0 + 8], limits).astype(int)
            turns = int(rng.integers(4)) if rng.random() < 0.3 else 0
            part, shape = (np.ascontiguousarray(np.rot90(p[y0:y1, x0:x1], turns)) for p in (picture, mask))
            out.append((document_view(part, None), _places(document_view(_channels(shape), None))))
    return out


def _channels(mask: Array) -> Array:
    return np.repeat(mask[..., None], 3, axis=2)


def _places(mask: Array) -> Array:
    """uint8 [S,S,3] or float [S,S] (0 to 1) to uint8 [24,24]; unknown where any of it is."""
    values = mask[..., 0].astype(np.float32) if mask.ndim == 3 else mask.clip(0, 1) * FULL
    known = values.max() <= FULL
    share = cv2.resize(values, (DOCUMENT_PLACES, DOCUMENT_PLACES), interpolation=cv2.INTER_AREA)
    return share.round().astype(np.uint8) if known else np.full_like(share, UNKNOWN, np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data", "teachers", "faces", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--others", type=Path, nargs="+", required=True, help="folders of pictures without documents")
    parser.add_argument("--count", type=int, default=40000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--most", type=int, default=8800, help="of the LFW photos, and of the other pictures")
    parser.add_argument("--head", type=Path, help="a document.onnx: what it takes for documents counts for more")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    copies = real_copies(arguments.data, arguments.teachers)
    earlier_head = None if arguments.head is None else DocumentNetwork(onnxruntime.InferenceSession(arguments.head))
    stock = load_stock(
        arguments.data, arguments.teachers, arguments.others, arguments.faces, arguments.most, copies, earlier_head
    )  # fmt: skip
    print({name: len(getattr(stock, name)) for name in Stock.__dataclass_fields__}, flush=True)
    real = real_views(copies, np.random.default_rng(arguments.seed), 30)
    count = arguments.count + len(real)
    shapes: dict[str, tuple[int, ...]] = {
        "views": (count, DOCUMENT_SIZE, DOCUMENT_SIZE, 3),
        "masks": (count, DOCUMENT_PLACES, DOCUMENT_PLACES),
        "copies": (count,),
    }
    views, masks, copied = opened(arguments.out, shapes)
    workers = started(
        fill,
        [
            (stock, (views, masks, copied), range(first, arguments.count, arguments.processes), arguments.seed)
            for first in range(arguments.processes)
        ],
    )
    for index, (pixels, mask) in enumerate(real, arguments.count):
        views[index], masks[index], copied[index] = pixels, mask, 1
    joined(workers)
    shows = np.ones(count, bool)
    shows[1 : arguments.count : 2] = False
    np.save(arguments.out / "shows.npy", shows)
    finished(arguments.out, shapes)


def fill(stock: Stock, stores: tuple[Array, Array, Array], indices: range, seed: int) -> None:
    """Compose the views of these numbers; every other one shows a document."""
    views, masks, copies = stores
    for index in indices:
        made = view(np.random.default_rng((seed, index)), stock, index % 2 == 0)
        views[index], masks[index] = made.pixels, _places(made.mask)
        copies[index] = UNKNOWN if made.copied is None else made.copied
    for store in stores:
        store.flush()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
