"""Scores of whole photos by a texture network, as the library takes them: one CSV for each network.

    python -m scripts.training.texture.scores --data DATA --work WORK --name without_b

Reads the checkpoint WORK/NAME.pt and writes WORK/NAME.csv: path, set, species, part, shorter side, score (a logit).
`part` is `test`, `limit` (development, never trained on), or `trained`. A photo of a thing has no face; its middle
stands for one, and it is judged as where the view looks live. `--scale` and `--quality` measure smaller and more
compressed copies, in files with these numbers in their names.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from facematch_local.networks.texture import TextureNetwork
from scripts.training.common.arguments import parser_of
from scripts.training.common.image import Array, jpeg
from scripts.training.common.photos import list_photos
from scripts.training.texture.data import PER_PHOTO, kept_apart
from scripts.training.texture.export import write
from scripts.training.texture.recaptures import list_recaptures

COLUMNS = ("path", "set", "species", "part", "side", "score")
SETS = (*PER_PHOTO, "spoof")
LFW_SHARE = 8  # every n-th of LFW


def exported(checkpoint: Path, out: Path) -> TextureNetwork:
    """The averaged network of a checkpoint as a file, opened by the library."""
    write(checkpoint, out)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return TextureNetwork(onnxruntime.InferenceSession(str(out), options, providers=["CPUExecutionProvider"]))


def middle_of(pixels: Array) -> Array:
    """The middle half of a photo, (4,) float32, in place of a face."""
    height, width = pixels.shape[:2]
    return np.array([width / 4, height / 4, 3 * width / 4, 3 * height / 4], np.float32)


def photos(data: Path) -> Iterator[tuple[str, str, str, str]]:
    """Path, set, species and part of every photo that is measured."""
    for photo in list_recaptures(data):
        yield photo.path, photo.source, photo.species, "test" if photo.held_out else "trained"
    for number, other in enumerate(list_photos(data, SETS)):
        part = "test" if other.held_out else "limit" if kept_apart(other.path) else "trained"
        if part == "trained" or (other.source == "lfw" and number % LFW_SHARE):
            continue
        yield other.path, other.source, "", part


def scored(
    network: TextureNetwork, data: Path, scale: float, quality: int
) -> Iterator[tuple[str, str, str, str, int, str]]:
    """One row for each photo that can be read; the score is empty where the photo is too small."""
    for path, source, species, part in photos(data):
        pixels = cv2.imread(str(data / path), cv2.IMREAD_COLOR)
        if pixels is None:
            continue
        if scale < 1:
            pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if quality:
            pixels = jpeg(pixels, quality)
        whole = np.array([0, 0, pixels.shape[1], pixels.shape[0]], np.float32)
        box = whole if source == "f" else middle_of(pixels)
        found = network.predict(pixels, box, thorough=False)
        score = "" if found is None else f"{found:.5f}"
        yield path, source, species, part, min(pixels.shape[:2]), score


def main() -> None:
    parser = parser_of(__doc__, "data", "work")
    parser.add_argument("--name", required=True)
    parser.add_argument("--scale", type=float, default=1.0, help="of the photos, at most 1")
    parser.add_argument("--quality", type=int, default=0, help="compress with this JPEG quality; 0 as they are")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    work, name = arguments.work, arguments.name
    network = exported(work / f"{name}.pt", work / f"{name}.onnx")
    scale, quality = arguments.scale, arguments.quality
    changed = (f"_scale{scale:g}" if scale < 1 else "") + (f"_quality{quality}" if quality else "")
    with (work / f"{name}{changed}.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(scored(network, arguments.data, scale, quality))


if __name__ == "__main__":
    main()
