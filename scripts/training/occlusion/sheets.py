"""Contact sheets of aligned faces with their file numbers, for reviewing labels by eye."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.arguments import parser_of
from scripts.training.common.faces import find_faces
from scripts.training.common.photos import LONGEST, list_portraits, load_photo
from scripts.training.occlusion.canvas import canvas_of


def sheet(tiles: list[tuple[str, np.ndarray]], columns: int, size: int) -> np.ndarray:
    """A grid of square tiles with their names."""
    rows = (len(tiles) + columns - 1) // columns
    out = np.zeros((rows * (size + 12), columns * size, 3), np.uint8)
    for i, (name, tile) in enumerate(tiles):
        y, x = (i // columns) * (size + 12), (i % columns) * size
        out[y + 12 : y + 12 + size, x : x + size] = cv2.resize(tile, (size, size), interpolation=cv2.INTER_AREA)
        cv2.putText(out, name, (x + 2, y + 10), cv2.FONT_HERSHEY_SIMPLEX, 0.34, (0, 255, 255), 1, cv2.LINE_AA)
    return out


def main() -> None:
    parser = parser_of(__doc__, "data", "teachers", "work")
    parser.add_argument("--set", required=True, help="a set, or a label of labels.csv in short (hat, eyewear)")
    parser.add_argument("--columns", type=int, default=16)
    parser.add_argument("--size", type=int, default=84)
    arguments = parser.parse_args()
    faces = find_faces(arguments.data, arguments.teachers, arguments.work / "faces.json")
    tiles = []
    for photo in list_portraits(arguments.data):
        if arguments.set in (photo.source, photo.label) and photo.path in faces:
            image = load_photo(arguments.data / photo.path, LONGEST)
            if image is None:
                continue
            stem = Path(photo.path).stem
            tiles.append((stem[:14], canvas_of(image, faces[photo.path])))
    per = arguments.columns * 10
    for page, start in enumerate(range(0, len(tiles), per)):
        out = arguments.work / "sheets" / f"{arguments.set}-{page}.png"
        out.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(out), sheet(tiles[start : start + per], arguments.columns, arguments.size))


if __name__ == "__main__":
    main()
