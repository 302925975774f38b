"""Where the limit of code 1 lies with the document head: how many pictures without a document are told, of those never
trained on, and how many made cards of the tuned half are not.

    python scripts/training/document/limit.py --data DATA --others PICTURES [PICTURES ...]

PICTURES are the folders that `samples.py` was given, with the same `--most`. The photos of `no_card` say nothing here:
the head knows those that it was trained on by heart.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import paths  # noqa: F401
from measure import drawn
from photos import read
from samples import shuffled

from facematch_local.checks import Role, Subject, card
from facematch_local.imaging.photo import Photo, Pixels
from facematch_local.packs import LoadedPack, load_pack, read_pack

ROOT = Path(__file__).resolve().parents[3]
LIMITS = (0.5, 0.65, 0.75, 0.8, 0.85, 0.9, 0.95)


def measured(loaded: LoadedPack, pixels: Pixels) -> float:
    """What code 1 goes by."""
    subject = Subject(Photo(pixels), Role.CARD, tuple(loaded.analyser.find(pixels)), loaded.heads)
    return card.document(subject).value or 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--others", type=Path, nargs="+", required=True)
    parser.add_argument("--most", type=int, default=8800, help="pictures that samples.py took")
    parser.add_argument("--count", type=int, default=600, help="of the other pictures, evenly spaced")
    parser.add_argument("--made", type=int, default=50, help="made cards of each kind")
    parser.add_argument("--pack", type=Path, default=ROOT / "models" / "compact")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    loaded = load_pack(read_pack(arguments.pack))
    unused = shuffled(arguments.data, arguments.others)[1][arguments.most :]
    pictures = (read(path) for path in unused[:: max(len(unused) // arguments.count, 1)][: arguments.count])
    none = np.array([measured(loaded, picture) for picture in pictures if picture is not None])
    cards: dict[str, list[float]] = {}
    for kind, _, pixels, _ in drawn(arguments.data, arguments.made, unseen=False):
        cards.setdefault(kind, []).append(measured(loaded, pixels))
    for limit in LIMITS:
        missed = ", ".join(f"{kind[6:]} {np.mean(np.array(values) < limit):.2f}" for kind, values in cards.items())
        print(f"{limit}: {np.mean(none < limit):.3f} of {len(none)} pictures told; cards below: {missed}")


if __name__ == "__main__":
    main()
