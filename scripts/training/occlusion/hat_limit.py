"""Choose the limit of code 8: shares of hats and bare heads above several limits, on people that no training has seen.

    python -m scripts.training.occlusion.hat_limit --data DATA

The people are of the tuned half and reserved, not even `lent` (`common/photos.py`). `hat_review.csv` holds the notes of
one look at these photos, in random order and without scores: photos that the network of policy 11 scored above 0.12 or
the next one above 0.1, and those labelled as hats. The others count as bare: a hat with lower scores is missed at any
limit here.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from facematch_local.checks import occlusion
from facematch_local.checks.check import Role
from facematch_local.checks.examination import Examination
from facematch_local.imaging.decode import decode
from facematch_local.packs import load_pack, read_pack
from scripts.development.split import held_out, held_out_people
from scripts.training.common.arguments import add_pack, parser_of
from scripts.training.common.photos import list_portraits, read_rows

LIMITS = (0.2, 0.3, 0.4, 0.45, 0.5, 0.6)
DOUBTFUL = ("headband", "unsure hat")


def main() -> None:
    parser = parser_of(__doc__, "data")
    add_pack(parser)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    seen_before = read_rows(Path(__file__).with_name("hat_review.csv"))
    notes = {row["path"]: row["why"].split(" and ") for row in seen_before}
    people = held_out_people(arguments.data / "lfw_pairs.csv")
    loaded = load_pack(read_pack(arguments.pack))
    values: dict[str, list[float]] = {"hat": [], "headband": [], "bare": []}
    for photo in list_portraits(arguments.data):
        used = photo.occlusion_trains_on_it or held_out(photo.path, people)
        if used or photo.source not in ("lfw", "asian_faces"):
            continue
        decoded = decode((arguments.data / photo.path).read_bytes())
        faces = loaded.analyser.find(decoded.pixels)
        value = occlusion.head_covering(Examination(decoded, Role.PORTRAIT, tuple(faces[:1]), loaded.networks)).value
        if value is not None:
            seen = notes.get(photo.path, [])
            kind = "hat" if "hat" in seen else "headband" if set(DOUBTFUL) & set(seen) else "bare"
            values[kind].append(value)
    for limit in LIMITS:
        shares = (f"{(np.array(v) > limit).mean():.4f} of {len(v)} {kind}" for kind, v in values.items())
        print(f"above {limit}: {', '.join(shares)}")


if __name__ == "__main__":
    main()
