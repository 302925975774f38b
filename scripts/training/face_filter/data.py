"""Candidates of the detector down to a low confidence, right and wrong ones: samples for the face filter.

Candidates come from pictures composed like those of the detector's training (`common/compose.py`), from the photos of
the training half as they are, and from pictures of other things (`common/pictures.py`). One that overlaps a labelled
face is a face; one far from every face, sure or unsure, is a false one; those between are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scripts.training.common.arguments import parser_of
from scripts.training.common.boxes import iou
from scripts.training.common.canvas import Faces
from scripts.training.common.compose import Pool, compose, load_pool
from scripts.training.common.image import Array
from scripts.training.common.photos import load_photo
from scripts.training.common.sessions import one_thread
from scripts.training.common.yunet import YuNet
from scripts.training.face_filter.crops import stored_crop

LOW = 0.1  # least confidence of a candidate
SAME, APART = 0.45, 0.15  # overlaps (intersection over union)
PER_PICTURE = 6
SUSPICIOUS = 0.3  # confidence of the teacher
SIZES, SHARES = (256, 384, 640), (0.5, 0.25, 0.25)


@dataclass
class Samples:
    """Crops uint8 [96,96,3] BGR, whether they show a face, and the detector's confidence."""

    crops: list[Array] = field(default_factory=list)
    face: list[bool] = field(default_factory=list)
    score: list[float] = field(default_factory=list)

    def add(self, pixels: Array, found: Array, faces: Faces, rng: np.random.Generator) -> None:
        """Take candidates [N,5] (box, score) of one picture."""
        overlap = np.array([iou(box, faces.boxes) for box in found]).reshape(len(found), len(faces))
        sure, unsure = overlap[:, ~faces.ignore], overlap[:, faces.ignore]
        best = sure.max(axis=1, initial=0)
        is_face = best > SAME
        is_none = (best < APART) & (unsure.max(axis=1, initial=0) < APART)
        for kind, value in ((is_face, True), (is_none, False)):
            for index in rng.permutation(np.flatnonzero(kind))[:PER_PICTURE]:
                self.crops.append(stored_crop(pixels, found[index, :4]))
                self.face.append(value)
                self.score.append(float(found[index, 4]))


def detect(detector: Any, pixels: Array, side: int) -> Array:
    """Candidates [N,5]."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = tuple(max(32, int(np.ceil(edge * scale / 32)) * 32) for edge in (width, height))
    found: Array = detector.detect(pixels, input_size=size)[0]
    return found


def as_they_are(pool: Pool, detector: Any, samples: Samples, rng: np.random.Generator) -> None:
    """Every labelled photo at two sizes, and those without faces."""
    for name, photos in {**pool.photos, "without faces": pool.blank}.items():
        for photo in photos:
            for side in (320,) if name == "lfw" else (320, 640):
                samples.add(photo.pixels, detect(detector, photo.pixels, side), photo.faces, rng)


def other_things(
    folders: list[Path], teacher: YuNet, detector: Any, samples: Samples, rng: np.random.Generator, most: int
) -> None:
    """Up to `most` pictures of anything but people; what the teacher thinks a face, however faintly, is left out."""
    files = [file for folder in folders for file in sorted(folder.iterdir())]
    for index in rng.permutation(len(files))[:most]:
        pixels = load_photo(files[index])
        if pixels is None:
            continue
        rows = teacher(pixels)
        unsure = Faces(rows[:, :4], rows[:, 4:14].reshape(-1, 5, 2), np.ones(len(rows), bool))
        for side in (320, 640):
            samples.add(pixels, detect(detector, pixels, side), unsure, rng)


def main() -> None:
    from insightface.model_zoo import get_model

    parser = parser_of(__doc__, "data")
    parser.add_argument("--labels", type=Path, nargs="+", required=True)
    parser.add_argument("--blanks", type=Path, help="pictures without faces, see detector/blanks.py")
    parser.add_argument("--detector", type=Path, required=True)
    parser.add_argument("--others", type=Path, nargs="+", help="pictures of other things, see pictures.py, faceless.py")
    parser.add_argument("--most", type=int, default=15000, help="of those")
    parser.add_argument("--teachers", type=Path, help="folder with det_yunet, for --others")
    parser.add_argument("--pictures", type=int, default=9000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    detector = get_model(str(arguments.detector), providers=["CPUExecutionProvider"], sess_options=one_thread())
    detector.prepare(ctx_id=-1, det_thresh=LOW)
    samples = Samples()
    if arguments.others:
        teacher = YuNet.of(arguments.teachers, SUSPICIOUS)
        rng = np.random.default_rng([arguments.seed, 2])
        other_things(arguments.others, teacher, detector, samples, rng, arguments.most)
        print(f"other things: {len(samples.face)} candidates", flush=True)
    pool = load_pool(arguments.data, arguments.labels, arguments.blanks)
    as_they_are(pool, detector, samples, np.random.default_rng([arguments.seed, 0]))
    print(f"photos: {len(samples.face)} candidates, {sum(samples.face)} faces", flush=True)
    for index in range(arguments.pictures):
        rng = np.random.default_rng([arguments.seed, 1, index])
        size = int(rng.choice(SIZES, p=SHARES))
        pixels, faces = compose(rng, pool, size, lean=0.5)
        samples.add(pixels, detect(detector, pixels, size), faces, rng)
        if (index + 1) % 1000 == 0:
            print(f"{index + 1} pictures: {len(samples.face)} candidates, {sum(samples.face)} faces", flush=True)
    np.savez(arguments.out, crops=np.stack(samples.crops), face=np.array(samples.face), score=np.float32(samples.score))


if __name__ == "__main__":
    main()
