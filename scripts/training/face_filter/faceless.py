"""Pictures of drawn documents without a portrait, lying on something: a detector may still see a face in them.

    python -m scripts.training.face_filter.faceless --grounds PICTURES [PICTURES ...] --out FACELESS

Print, emblems, seals and bar codes of `common/documents.py`; the grounds are those of `common/pictures.py`.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.arguments import parser_of
from scripts.training.common.degrade import degrade
from scripts.training.common.documents import KINDS, copied
from scripts.training.common.image import Array, Rng
from scripts.training.common.photos import load_photo

LONGEST = 640  # pixels of a picture
BLANK = np.full((64, 48, 3), 200, np.uint8)  # in a portrait's place in documents that are then not used
COPIES = 0.3  # share of grey copies


def document(rng: Rng) -> Array:
    """A drawn document without a portrait, flat, BGR uint8 [H,W,3]."""
    shares = np.array([share for share, _ in KINDS])
    while True:
        pixels, area = KINDS[rng.choice(len(KINDS), p=shares / shares.sum())][1](rng, BLANK)
        if area is None:
            return copied(rng, pixels) if rng.random() < COPIES else pixels


def laid(rng: Rng, flat: Array, ground: Array) -> Array:
    """The document on the ground, turned and in perspective, a fifth to all of it wide; BGR uint8."""
    height, width = ground.shape[:2]
    wide = np.exp(rng.uniform(np.log(0.2), 0)) * width
    tall = wide * flat.shape[0] / flat.shape[1]
    corners = np.array([(-wide, -tall), (wide, -tall), (wide, tall), (-wide, tall)]) / 2
    angle = rng.normal(0, 0.25) + rng.choice(4, p=(0.85, 0.05, 0.05, 0.05)) * np.pi / 2
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = (corners * (1 + rng.normal(0, 0.05, (4, 2)))) @ turn.T + rng.uniform(0.3, 0.7, 2) * (width, height)
    source = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * flat.shape[1::-1]
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), corners.astype(np.float32))
    out = ground.copy()
    cv2.warpPerspective(flat, matrix, (width, height), out, borderMode=cv2.BORDER_TRANSPARENT)
    return out


def picture(rng: Rng, grounds: list[Path]) -> Array:
    """One picture of a document, by some camera; one in five fills it, as from a scanner."""
    flat = document(rng)
    if rng.random() < 0.2:
        return degrade(rng, flat)
    ground = None
    while ground is None:
        ground = load_photo(grounds[rng.integers(len(grounds))])
    scale = LONGEST / max(ground.shape[:2])
    ground = cv2.resize(
        ground, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    return degrade(rng, laid(rng, flat, ground))


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--grounds", type=Path, nargs="+", required=True)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    grounds = [file for folder in arguments.grounds for file in sorted(folder.iterdir())]
    for index in range(arguments.count):
        pixels = picture(np.random.default_rng((9, index)), grounds)
        cv2.imwrite(str(arguments.out / f"{index:05}.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])


if __name__ == "__main__":
    main()
