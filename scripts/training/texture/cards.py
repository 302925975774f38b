"""Scores of documents by a texture network: specimens as they are, and simulated recaptures of them.

    python -m scripts.training.texture.cards --data DATA --network models/compact/networks/texture.onnx

A genuine document is a print itself, with rasters and fine lines. Each specimen is seen as it is, by a simulated camera
(`closeups.world`), on a display and as a colour copy, in views of 300 pixels. The real grey copies stand beside them.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from facematch_local.networks.texture import TILE, TextureNetwork
from scripts.training.common.arguments import parser_of
from scripts.training.common.image import Array, Rng
from scripts.training.common.photos import list_photos
from scripts.training.texture.closeups import display, paper, world
from scripts.training.texture.rates import bpcer, texture_limit

SIDE = 300  # of a simulated view
VIEWS = 8  # of each specimen and kind
MADE: dict[str, Callable[[Array, int, Rng], Array]] = {
    "by a simulated camera": world,
    "from a simulated display": display,
    "simulated colour copy": paper,
}


def views(data: Path) -> Iterator[tuple[str, Array]]:
    """Kind and pixels of each view of a document."""
    for photo in list_photos(data, ("cards", "photocopies")):
        pixels = cv2.imread(str(data / photo.path), cv2.IMREAD_COLOR)
        if pixels is None or min(pixels.shape[:2]) < TILE:
            continue
        if photo.source == "photocopies":
            yield "real grey copy", pixels
            continue
        yield "specimen as it is", pixels
        for number in range(VIEWS):
            for kind, make in MADE.items():
                rng = np.random.default_rng((zlib.crc32(photo.path.encode()), number))
                yield kind, make(pixels, SIDE, rng)


def main() -> None:
    parser = parser_of(__doc__, "data")
    parser.add_argument("--network", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(arguments.network), options, providers=["CPUExecutionProvider"])
    network = TextureNetwork(session)
    scores: dict[str, list[float]] = defaultdict(list)
    for kind, pixels in views(arguments.data):
        whole = np.array([0, 0, pixels.shape[1], pixels.shape[0]], np.float32)
        found = network.predict(pixels, whole)
        if found is not None:
            scores[kind].append(found)
    limit = texture_limit()
    for kind, logits in scores.items():
        values = np.array(logits)
        above = bpcer(values, limit)
        print(
            f"{kind}: above the limit of portraits {above}; quantiles {np.quantile(values, (0.1, 0.5, 0.9)).round(2)}"
        )


if __name__ == "__main__":
    main()
