"""Where the limit of code 8 lies: hats and bare heads above it, of people of the tuned half whom the head never saw.

    python scripts/training/heads/hat_limit.py --data DATA

Whom the head never saw: not even `lent` (`photos.py`). `hat_review.csv` holds what one look at these photos found, in
random order and without their scores: at those that the head of policy 11 gave more than 0.12, or the one trained next
more than 0.1, and those labelled as hats. The others are taken for bare: a hat below both is missed at any limit here.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import paths  # noqa: F401
from photos import list_photos, read_rows

from facematch_local.checks import Role, Subject, occlusion
from facematch_local.imaging.decode import decode
from facematch_local.packs import load_pack, read_pack
from scripts.development.split import held_out, held_out_people

ROOT = Path(__file__).resolve().parents[3]
LIMITS = (0.2, 0.3, 0.4, 0.45, 0.5, 0.6)
DOUBTFUL = ("headband", "unsure hat")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pack", type=Path, default=ROOT / "models" / "compact")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    seen_before = read_rows(Path(__file__).with_name("hat_review.csv"))
    notes = {row["path"]: row["why"].split(" and ") for row in seen_before}
    people = held_out_people(arguments.data / "lfw_pairs.csv")
    loaded = load_pack(read_pack(arguments.pack))
    values: dict[str, list[float]] = {"hat": [], "headband": [], "bare": []}
    for photo in list_photos(arguments.data):
        used = photo.trained_on or held_out(photo.path, people)
        if used or photo.source not in ("lfw", "asian_faces"):
            continue
        decoded = decode((arguments.data / photo.path).read_bytes())
        faces = loaded.analyser.find(decoded.pixels)
        value = occlusion.hat(Subject(decoded, Role.PORTRAIT, tuple(faces[:1]), loaded.heads)).value
        if value is not None:
            seen = notes.get(photo.path, [])
            kind = "hat" if "hat" in seen else "headband" if set(DOUBTFUL) & set(seen) else "bare"
            values[kind].append(value)
    for limit in LIMITS:
        shares = (f"{(np.array(v) > limit).mean():.4f} of {len(v)} {kind}" for kind, v in values.items())
        print(f"above {limit}: {', '.join(shares)}")


if __name__ == "__main__":
    main()
