"""Views of faces for the recapture network, made once and kept in the work folder.

    python -m scripts.training.recapture.data --data DATA --work WORK

Only the development split is read. Faces are found by the pack `standard`. Crops of real portraits as they are, each
cut several times around a face box that is moved a little, stand beside the composed views of `scenes.py`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from facematch_local.networks.base import resized
from facematch_local.networks.recapture import RECAPTURE_SIZE, recapture_crop
from facematch_local.packs import find_pack, load_pack
from scripts.training.common.arguments import parser_of
from scripts.training.common.image import Array, Rng
from scripts.training.common.photos import NO_CARD_WITH_PEOPLE, Photo, list_photos, load_photo
from scripts.training.recapture.scenes import Portrait, held_up, person
from scripts.training.texture.data import kept_apart

ROUNDS = {"lfw": 2, "asian_faces": 8, "east_asian_people": 10, "masks": 4, "sunglasses": 4, "scenes": 10}
AS_IT_IS, APART = 3, 4  # kinds of a real portrait that is not composed; the latter chooses the limit, no training
LFW_SHARE = 4  # every n-th photo of LFW
COMPOSED = 2  # of them every n-th has composed views
CUTS = 5  # further crops of a real portrait, around a box that is moved


def listed(data: Path) -> list[Photo]:
    """The portraits of the development split that are read."""
    return [
        photo
        for number, photo in enumerate(list_photos(data, tuple(ROUNDS)))
        if not photo.held_out and (photo.source != "lfw" or number % LFW_SHARE == 0)
    ]


def views(data: Path) -> Iterator[tuple[Array, int, str]]:
    """Crops uint8 [80,80,3], their kinds: 0 live, 1 print, 2 screen, 3 or 4 a real portrait as it is; the set."""
    analyser = load_pack(find_pack("standard")).analyser
    rooms = [
        p for p in list_photos(data, ("no_card",)) if not p.held_out and Path(p.path).stem not in NO_CARD_WITH_PEOPLE
    ]
    others = [r for r in (load_photo(data / p.path, 500) for p in rooms) if r is not None]
    for place, photo in enumerate(listed(data)):
        image = load_photo(data / photo.path, 640)
        faces = () if image is None else analyser.find(image)
        if image is None or not faces or faces[0].width < 30:
            continue
        portrait = Portrait(image, faces[0].box)
        if kept_apart(photo.path):
            yield recapture_crop(image, portrait.box), APART, photo.source
            continue
        if len(others) < 600 and photo.source != "lfw":
            others.append(cv2.resize(image, (320, 320), interpolation=cv2.INTER_AREA))
        yield recapture_crop(image, portrait.box), AS_IT_IS, photo.source
        around = np.random.default_rng(zlib.crc32(photo.path.encode()))
        for _ in range(CUTS):
            yield recapture_crop(image, _moved(portrait, around)), AS_IT_IS, photo.source
        if photo.source == "lfw" and place % COMPOSED:
            continue
        for number in range(ROUNDS[photo.source]):
            rng = np.random.default_rng((zlib.crc32(photo.path.encode()), number))
            yield resized(person(portrait, others, rng), RECAPTURE_SIZE), 0, photo.source
            display = bool(rng.random() < 0.5)
            view = resized(held_up(portrait, others, rng, display), RECAPTURE_SIZE)
            yield view, 2 if display else 1, photo.source


def _moved(portrait: Portrait, rng: Rng) -> Array:
    """The face box (4,) moved and resized, as other detectors would have found it."""
    centre = portrait.centre + portrait.side * rng.normal(0, 0.05, 2)
    half = (portrait.box[2:] - portrait.box[:2]) / 2 * np.exp(rng.uniform(-0.25, 0.2))
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def written(data: Path, folder: Path) -> tuple[Array, Array, Array]:
    """Crops [N,80,80,3], kinds [N] and sets [N], made once."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "sets.npy").exists():
        crops, kinds, sets = zip(*views(data), strict=True)
        np.save(folder / "crops.npy", np.stack(crops))
        np.save(folder / "kinds.npy", np.array(kinds))
        np.save(folder / "sets.npy", np.array(sets))
    return np.load(folder / "crops.npy"), np.load(folder / "kinds.npy"), np.load(folder / "sets.npy")


def main() -> None:
    arguments = parser_of(__doc__, "data", "work").parse_args()
    cv2.setNumThreads(1)
    _, kinds, _ = written(arguments.data, arguments.work / "scenes")
    print(f"{len(kinds)} crops, {np.bincount(kinds).tolist()} live, print, screen, as it is, apart")


if __name__ == "__main__":
    main()
