"""Pictures out of folders of games and educational software, as samples without faces and documents.

    python -m scripts.training.common.pictures --out PICTURES FOLDER...

Takes picture files, those in archives (zip by any name, as games have them), and those that lie uncompressed in other
files (Qt's .rcc). Small ones and duplicates are left out, large ones reduced.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.arguments import parser_of

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
SMALLEST, LARGEST = 100, 720  # pixels: shorter and longer side
JPEG, PNG, WEBP = rb"\xff\xd8\xff[\xe0\xe1\xdb]", rb"\x89PNG\r\n\x1a\n", rb"RIFF....WEBP"
START = re.compile(b"|".join((JPEG, PNG, WEBP)), re.DOTALL)


def contents(folder: Path) -> Iterator[bytes]:
    """The bytes of every picture in it."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        if path.suffix.lower() in ENDINGS:
            yield path.read_bytes()
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from (archive.read(n) for n in sorted(archive.namelist()) if n.lower().endswith(ENDINGS))
        elif path.suffix == ".rcc":
            data = path.read_bytes()
            starts = [match.start() for match in START.finditer(data)]
            # A decoder stops where its picture ends, so each may have what follows it.
            yield from (data[one:two] for one, two in pairwise([*starts, len(data)]))


def decoded(data: bytes) -> np.ndarray | None:
    """BGR uint8, on grey where it was transparent; None where it is no picture or a small one."""
    if not data:
        return None
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint8 or min(image.shape[:2]) < SMALLEST:
        return None
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 4:
        opacity = image[..., 3:] / 255
        image = (image[..., :3] * opacity + 127 * (1 - opacity)).astype(np.uint8)
    scale = LARGEST / max(image.shape[:2])
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, default=3000, help="pictures a folder, drawn at random")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for folder in arguments.folders:
        found = {hashlib.sha256(data).hexdigest()[:16]: data for data in contents(folder)}
        names, kept = np.random.default_rng(0).permutation(sorted(found)), 0
        for name in names:
            if kept == arguments.most:
                break
            image = decoded(found[name])
            if image is not None:
                cv2.imwrite(str(arguments.out / f"{name}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 92])
                kept += 1
        print(folder, len(found), "pictures,", kept, "kept", flush=True)


if __name__ == "__main__":
    main()
