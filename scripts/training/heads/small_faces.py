"""What the occlusion head sees in faces of few pixels: photos of the tuned half made so small that their eyes lie near.

    python scripts/training/heads/small_faces.py --data DATA

By inter-eye distance, of masks and of photos without one, of sunglasses and of photos without these: how many are above
the limit of the policy, by the head alone and as `facematch_local.checks.occlusion` corrects it. A face that the check
holds for too small counts as below. Only small photos in which a face is found count. Most of these photos the head was
trained on, at other sizes, so shares of covered faces lean to the good side.
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
from facematch_local.imaging.photo import Photo
from facematch_local.packs import load_pack, read_pack
from facematch_local.policy import load_policy
from scripts.development.split import held_out, held_out_people

ROOT = Path(__file__).resolve().parents[3]
EYE_DISTANCES = (4.5, 5.5, 6.5, 7.5, 9.0, 12.0)
LEAST = 14.0  # pixels between the eyes of the photo that is made smaller
CHECKS = {"mask": occlusion.mask, "sunglasses": occlusion.sunglasses}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pack", type=Path, default=ROOT / "models" / "compact")
    parser.add_argument("--portraits", type=int, default=500, help="so many photos of LFW, one a person")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    people = held_out_people(arguments.data / "lfw_pairs.csv")
    doubtful = {row["path"] for row in read_rows(Path(__file__).with_name("warnings_left_out.csv"))}
    photos = [p for p in list_photos(arguments.data) if p.path not in doubtful and not held_out(p.path, people)]
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
            small = cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
            subject = Subject(Photo(small), Role.PORTRAIT, tuple(loaded.analyser.find(small)[:1]), loaded.heads)
            if subject.occlusion is None:
                continue
            alone = {"mask": subject.occlusion.mask, "sunglasses": subject.occlusion.sunglasses}
            for kind, check in CHECKS.items():
                limit = limits[f"{kind}.head"].maximum
                value = check(subject).value
                pair = (alone[kind] > limit, value is not None and value > limit)
                found.setdefault((distance, kind, photo.label == kind), []).append(pair)
    for (distance, kind, covered), pairs in sorted(found.items()):
        alone, corrected = np.array(pairs).mean(axis=0)
        name = kind if covered else f"no {kind}"
        print(f"{distance:4.1f} pixels, {name:13}: {alone:.3f} by the head alone, {corrected:.3f} of {len(pairs)}")


if __name__ == "__main__":
    main()
