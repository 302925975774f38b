"""False alarms of code 10's `recapture` on held-out live photos, as they are and edited.

    python -m scripts.training.recapture.false_alarms DATA

The library examines them with the shipped pack, its detector and its policy. An alarm counts whatever else is raised;
a photo without a face counts as no alarm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from facematch_local import synthetic
from facematch_local.checks.check import Role
from facematch_local.errors import FacematchError
from facematch_local.imaging.decode import decode
from facematch_local.matcher import FaceMatcher
from facematch_local.packs import find_pack, load_pack
from facematch_local.policy import Outcome
from scripts.development.labels import labelled_rows, portrait_cases
from scripts.development.split import Split
from scripts.training.common.arguments import parser_of
from scripts.training.common.image import Array

SETS = ("lfw", "scenes", "asian_faces", "masks", "sunglasses")
PER_SET = 250
EDITED = 5  # of every set but the smallest, each n-th photo is edited
LONGEST = 1000


def edited(image: Array, rng: np.random.Generator) -> Iterator[tuple[str, Array]]:
    """What people and apps do to a live photo."""
    values, longest = image.astype(np.float32), max(image.shape[:2])
    yield "half", cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    if longest < 700:
        yield "doubled", cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    yield "sharpened", _u8(2 * values - cv2.GaussianBlur(values, (0, 0), 1.5))
    yield "JPEG 40", synthetic.jpeg(image, 40)
    yield "blurred", cv2.GaussianBlur(image, (0, 0), max(0.008 * longest, 0.8))
    yield "moved", synthetic.motion_blur(image, max(int(0.03 * longest), 3), rng)
    yield "noise", _u8(values + rng.normal(0, 8, values.shape))
    yield "beautified", cv2.bilateralFilter(image, 9, 50, 5)
    yield "dark", _u8(255 * (values / 255) ** 1.8 * 0.8)
    yield "bright", _u8(255 * (values / 255) ** 0.6 * 1.15)
    yield "grey", cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    bar = int(0.15 * longest)
    yield "white bars", cv2.copyMakeBorder(image, 0, 0, bar, bar, cv2.BORDER_CONSTANT, value=(255, 255, 255))


def _u8(values: Array) -> Array:
    return np.clip(values, 0, 255).astype(np.uint8)


def photos(data: Path) -> Iterator[tuple[str, str, bytes | Array]]:
    """Set, edit ("" for none) and photo, of the held-out half."""
    labelled = frozenset(row.path for row in labelled_rows(data / "labels.csv", data, None))
    for folder in SETS:
        skip = labelled if folder in ("lfw", "scenes") else frozenset()
        cases = portrait_cases(data, folder, Split.TEST, limit=PER_SET, skip=skip)
        for number, name in enumerate(case.name for case in cases if case.code == 0):
            content = (data / name).read_bytes()
            yield folder, "", content
            if number % (1 if folder == "scenes" else EDITED) == 0:
                try:
                    image = decode(content).pixels
                except FacematchError:
                    continue
                image = synthetic.fitted_to(image, LONGEST) if max(image.shape[:2]) > LONGEST else image
                for edit, changed in edited(image, np.random.default_rng(number)):
                    yield folder, edit, changed


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("data", type=Path)
    cv2.setNumThreads(1)
    matcher = FaceMatcher(load_pack(find_pack("compact")))
    seen: Counter[str] = Counter()
    alarms: Counter[str] = Counter()
    for folder, edit, content in photos(parser.parse_args().data):
        try:
            _, findings = matcher.examine(content, Role.PORTRAIT)
        except FacematchError:
            continue
        raised = any(f.name == "recapture" and f.outcome is Outcome.WARNING for f in findings)
        framed = " (grey, bars)" if edit in ("grey", "white bars") else ""
        for key in (f"{folder}, edited{framed}", f"edit: {edit}") if edit else (f"{folder}, as they are",):
            seen[key] += 1
            alarms[key] += raised
    for key, count in sorted(seen.items()):
        print(f"{key}: {alarms[key]} of {count} = {alarms[key] / count:.1%}")


if __name__ == "__main__":
    main()
