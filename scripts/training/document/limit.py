"""Choose the limit of code 1: shares of pictures without a document and of synthetic cards below several limits.

    python -m scripts.training.document.limit --data DATA --others PICTURES [PICTURES ...]

PICTURES are the folders that `data.py` was given, with the same `--most`; only pictures that no training has seen are
used. The photos of `no_card` are not used: the network has memorised those that it was trained on. The cards are drawn
around portraits of the tuned half.
"""

from __future__ import annotations

import cv2
import numpy as np

from facematch_local.checks.check import Role
from facematch_local.checks.document import document
from facematch_local.checks.examination import Examination
from facematch_local.imaging.photo import Photo, Pixels
from facematch_local.packs import LoadedPack, load_pack, read_pack
from scripts.training.common.arguments import add_others, add_pack, parser_of
from scripts.training.common.photos import LONGEST, load_photo
from scripts.training.common.stock import shuffled
from scripts.training.document.evaluate import drawn

LIMITS = (0.5, 0.65, 0.75, 0.8, 0.85, 0.9, 0.95)


def measured(loaded: LoadedPack, pixels: Pixels) -> float:
    """The value that code 1 is decided on."""
    examination = Examination(Photo(pixels), Role.CARD, tuple(loaded.analyser.find(pixels)), loaded.networks)
    return document(examination).value or 0.0


def main() -> None:
    parser = parser_of(__doc__, "data")
    add_others(parser)
    parser.add_argument("--most", type=int, default=8800, help="pictures that data.py took")
    parser.add_argument("--count", type=int, default=600, help="of the other pictures, evenly spaced")
    parser.add_argument("--made", type=int, default=50, help="synthetic cards of each kind")
    add_pack(parser)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    loaded = load_pack(read_pack(arguments.pack))
    unused = shuffled(arguments.data, arguments.others)[1][arguments.most :]
    pictures = (
        load_photo(path, LONGEST) for path in unused[:: max(len(unused) // arguments.count, 1)][: arguments.count]
    )
    none = np.array([measured(loaded, picture) for picture in pictures if picture is not None])
    cards: dict[str, list[float]] = {}
    for kind, _, pixels, _ in drawn(arguments.data, arguments.made, unseen=False):
        cards.setdefault(kind, []).append(measured(loaded, pixels))
    for limit in LIMITS:
        missed = ", ".join(f"{kind[6:]} {np.mean(np.array(values) < limit):.2f}" for kind, values in cards.items())
        print(f"{limit}: {np.mean(none < limit):.3f} of {len(none)} pictures told; cards below: {missed}")


if __name__ == "__main__":
    main()
