"""Pictures without faces, composed of cut-out objects (transparent PNG files) and landscapes.

A detector sees faces in whatever it was never shown: bottles, blossoms, animals. Made for the stamps of Tux Paint
(Debian package `tuxpaint-stamps-default`; public domain and GPL) over the landscapes of `mate-backgrounds`. An object
in which the teacher sees a face, however faintly, is left out: some stamps do show people.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.arguments import parser_of
from scripts.training.common.image import Array
from scripts.training.common.photos import load_photo
from scripts.training.common.synthetic import drawn_background
from scripts.training.common.yunet import YuNet

FOLDERS = ("animals", "clothes", "food", "hobbies", "household", "medical", "plants", "sports", "town", "vehicles")
SIDE, SUSPICIOUS, SEED = 512, 0.5, 3


def load_object(path: Path) -> Array | None:
    """BGRA uint8, at most half the picture's side; None where there is no transparency."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        return None
    scale = min(1.0, 0.5 * SIDE / max(image.shape[:2]))
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def lay(rng: np.random.Generator, picture: Array, thing: Array) -> None:
    """Put an object somewhere on the picture, at 30 to 100 % of its size."""
    scale = rng.uniform(0.3, 1)
    thing = cv2.resize(thing, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = thing.shape[:2]
    x, y = rng.integers(0, SIDE - width + 1), rng.integers(0, SIDE - height + 1)
    opacity = thing[..., 3:] / 255
    window = picture[y : y + height, x : x + width]
    window[:] = (thing[..., :3] * opacity + window * (1 - opacity)).astype(np.uint8)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--objects", type=Path, required=True, help="folder with FOLDERS of transparent PNG files")
    parser.add_argument("--landscapes", type=Path, required=True, help="folder of photos")
    parser.add_argument("--teachers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=240)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(SEED)
    teacher = YuNet.of(arguments.teachers, SUSPICIOUS)
    things = []
    for path in sorted(p for folder in FOLDERS for p in (arguments.objects / folder).rglob("*.png")):
        thing = load_object(path)
        if thing is None:
            continue
        plain = (thing[..., :3] * (thing[..., 3:] / 255) + 127 * (1 - thing[..., 3:] / 255)).astype(np.uint8)
        if len(teacher(plain)):
            print("left out", path.name)
        else:
            things.append(thing)
    photos = [load_photo(p, SIDE * 2) for p in sorted(arguments.landscapes.rglob("*")) if p.suffix in (".jpg", ".png")]
    photos = [p for p in photos if p is not None and min(p.shape[:2]) >= SIDE]
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(len(things), "objects,", len(photos), "landscapes")
    for index in range(arguments.count):
        if rng.random() < 0.5 and photos:
            photo = photos[rng.integers(len(photos))]
            y, x = rng.integers(0, photo.shape[0] - SIDE + 1), rng.integers(0, photo.shape[1] - SIDE + 1)
            picture = photo[y : y + SIDE, x : x + SIDE].copy()
        else:
            picture = drawn_background(rng, SIDE, SIDE)
        for _ in range(int(rng.integers(3, 11))):
            lay(rng, picture, things[rng.integers(len(things))])
        cv2.imwrite(str(arguments.out / f"objects_{index:03d}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])


if __name__ == "__main__":
    main()
