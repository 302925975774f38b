"""Compose the views that the document network learns from.

Writes `views.npy` uint8 [N,S,S,3]; `masks.npy` uint8 [N,24,24], the share of each cell that is document, 0 to 200, and
255 where it is unknown; `copies.npy` uint8 [N], 1 for a grey copy, 0 for an original, 255 where it is unknown. Half of
the views show a document. Only the training half of the photos is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from facematch_local.documents.printed import Document, find_document
from facematch_local.faces import Face
from facematch_local.imaging.perspective import rectified
from facematch_local.networks.document import DOCUMENT_PLACES, DOCUMENT_SIZE, DocumentNetwork, document_view
from scripts.training.common.arguments import add_others, add_views, parser_of
from scripts.training.common.faces import FaceFinder
from scripts.training.common.image import Array
from scripts.training.common.photos import LONGEST, load_photo
from scripts.training.common.stock import SEED, Stock, load_stock, training_files
from scripts.training.common.views import finished, joined, opened, started
from scripts.training.document.scenes import view

FULL, UNKNOWN = 200, 255
SEEN = 3.5  # of the four edges of a real document, to trust where they are


@dataclass(frozen=True, eq=False)
class Copy:
    """A real copy, BGR uint8 [H,W,3], with the face on it and its outline by print and edges."""

    picture: Array
    face: Face
    found: Document


def real_copies(data: Path, teachers: Path) -> list[Copy]:
    """Those of the training half on which a face is found."""
    finder, out = FaceFinder(teachers), []
    for file in training_files(data, "photocopies"):
        picture = load_photo(file, LONGEST)
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


def fill(stock: Stock, stores: tuple[Array, Array, Array], indices: range, seed: int) -> None:
    """Compose the views of these numbers; every other one shows a document."""
    views, masks, copies = stores
    for index in indices:
        composed = view(np.random.default_rng((seed, index)), stock, index % 2 == 0)
        views[index], masks[index] = composed.pixels, _places(composed.mask)
        copies[index] = UNKNOWN if composed.copied is None else composed.copied
    for store in stores:
        store.flush()  # type: ignore[attr-defined]


def main() -> None:
    parser = parser_of(__doc__, "data", "teachers", "faces", "out")
    add_others(parser)
    add_views(parser, count=40000, seed=SEED, most=8800)
    parser.add_argument(
        "--earlier", type=Path, help="a document.onnx; pictures that it mistakes for documents count for more"
    )
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    copies = real_copies(arguments.data, arguments.teachers)
    flat = [rectified(copy.picture, copy.found.corners, 400) for copy in copies if copy.found.edges >= SEEN]
    earlier = None if arguments.earlier is None else DocumentNetwork(onnxruntime.InferenceSession(arguments.earlier))
    stock = load_stock(
        arguments.data, arguments.teachers, arguments.others, arguments.faces, arguments.most, flat, earlier
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


if __name__ == "__main__":
    main()
