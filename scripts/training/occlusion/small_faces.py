"""Scores of the occlusion network on small faces: photos of the tuned half, reduced in size.

    python -m scripts.training.occlusion.small_faces --data DATA

Prints by inter-eye distance, for masks and photos without one and for sunglasses and photos without these, the share
above the limit of the policy: by the network alone, and as `facematch_local.checks.occlusion` corrects it. A face that
the check takes for too small counts as below. Reduced photos without a found face are left out. The network was trained
on most of these photos at other sizes, so the shares of covered faces are optimistic.
"""

from __future__ import annotations

import cv2
import numpy as np

from facematch_local.checks import occlusion
from facematch_local.checks.check import Role
from facematch_local.checks.examination import Examination
from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import Photo
from facematch_local.packs import load_pack, read_pack
from facematch_local.policy import load_policy
from scripts.development.split import held_out, held_out_people
from scripts.training.common.arguments import add_pack, parser_of
from scripts.training.common.image import jpeg
from scripts.training.common.photos import list_portraits, read_rows
from scripts.training.common.repository import LEFT_OUT

EYE_DISTANCES = (4.5, 5.5, 6.5, 7.5, 9.0, 12.0)
LEAST = 14.0  # pixels between the eyes of a photo that is reduced
CHECKS = {"mask": occlusion.mask, "sunglasses": occlusion.sunglasses}


def main() -> None:
    parser = parser_of(__doc__, "data")
    add_pack(parser)
    parser.add_argument("--portraits", type=int, default=500, help="photos of LFW, one of each person")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    people = held_out_people(arguments.data / "lfw_pairs.csv")
    doubtful = {row["path"] for row in read_rows(LEFT_OUT)}
    photos = [p for p in list_portraits(arguments.data) if p.path not in doubtful and not held_out(p.path, people)]
    labelled = [p for p in photos if p.label in ("mask", "sunglasses") or (p.label == "bare" and p.source == "masks")]
    lfw = [p for p in photos if p.source == "lfw" and p.path.endswith("_0001.jpg")]
    chosen = labelled + [lfw[i] for i in rng.permutation(len(lfw))[: arguments.portraits]]

    loaded, limits = load_pack(read_pack(arguments.pack)), load_policy().limits[Role.PORTRAIT]
    found: dict[tuple[float, str, bool], list[tuple[bool, bool]]] = {}
    for photo in chosen:
        pixels = decode((arguments.data / photo.path).read_bytes()).pixels
        faces = loaded.analyser.find(pixels)
        if not faces or faces[0].inter_eye_distance < LEAST:
            continue
        for distance in EYE_DISTANCES:
            scale = distance / faces[0].inter_eye_distance
            small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            quality = int(rng.integers(75, 95))
            small = jpeg(small, quality)
            examination = Examination(
                Photo(small), Role.PORTRAIT, tuple(loaded.analyser.find(small)[:1]), loaded.networks
            )
            if examination.occlusion is None:
                continue
            alone = {"mask": examination.occlusion.mask, "sunglasses": examination.occlusion.sunglasses}
            for kind, check in CHECKS.items():
                limit = limits[kind]
                value = check(examination).value
                pair = (not limit.holds(alone[kind]), value is not None and not limit.holds(value))
                found.setdefault((distance, kind, photo.label == kind), []).append(pair)
    for (distance, kind, covered), pairs in sorted(found.items()):
        alone, corrected = np.array(pairs).mean(axis=0)
        name = kind if covered else f"no {kind}"
        print(f"{distance:4.1f} pixels, {name:13}: {alone:.3f} by the network alone, {corrected:.3f} of {len(pairs)}")


if __name__ == "__main__":
    main()
