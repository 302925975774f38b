"""Figures of the photocopy network on the half not trained on: grey copies against documents in colour.

    python -m scripts.training.photocopy.evaluate --data DATA

Real copies and specimens, and synthetic cards of `facematch_local.evaluation`, other code than the one that drew the
documents for the training.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facematch_local.checks.check import Role
from facematch_local.checks.examination import Examination
from facematch_local.checks.photocopy import photocopy
from facematch_local.codes import WarningCode
from facematch_local.evaluation.warnings.synthetic_cases import synthetic_cases
from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import Photo, Pixels
from facematch_local.packs import find_pack, load_pack
from facematch_local.policy import Limit, load_policy
from scripts.development.split import held_out
from scripts.training.common.arguments import add_tuned, parser_of
from scripts.training.common.photos import read_rows
from scripts.training.common.repository import COMPACT, LEFT_OUT
from scripts.training.common.sets import portraits_and_grounds

COPIES, CARDS = "photocopies", "cards"
QUANTILES = (0.02, 0.05, 0.5, 0.95, 0.98)


def cases(data: Path, count: int, unseen: bool) -> Iterator[tuple[str, bool, Pixels]]:
    """Kind, whether it is a grey copy, photo."""
    for folder in (COPIES, CARDS):
        for file in sorted((data / folder).iterdir()):
            if held_out(f"{folder}/{file.name}") is unseen:
                yield folder, folder == COPIES, decode(file.read_bytes()).pixels
    portraits, grounds = portraits_and_grounds(data, unseen)
    doubtful = {row["path"] for row in read_rows(LEFT_OUT)}
    portraits, grounds = (
        [p for p in files if p.relative_to(data).as_posix() not in doubtful] for files in (portraits, grounds)
    )
    for case in synthetic_cases(portraits, grounds, count, seed=2):
        if case.code is WarningCode.PHOTOCOPY:
            yield f"made, {case.kind}", case.positive, np.asarray(case.read())


def figures_of(values: Sequence[float | None], limit: Limit) -> dict[str, Any]:
    """Figures of one kind, ready for JSON.

    Args:
        values: probability of a grey copy of each photo, None where it was not assessed.
        limit: of code 2; a grey copy does not hold it.
    """
    assessed = [value for value in values if value is not None]
    return {
        "photos": len(values),
        "not_assessed": len(values) - len(assessed),
        "said_to_be_a_copy": sum(not limit.holds(value) for value in assessed),
        "network_quantiles": np.quantile(assessed, QUANTILES).round(3).tolist() if assessed else None,
    }


def main() -> None:
    parser = parser_of(__doc__, "data")
    parser.add_argument("--pack", default="compact")
    parser.add_argument("--made", type=int, default=100, help="synthetic cards of each kind")
    add_tuned(parser)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    loaded = load_pack(find_pack(arguments.pack))
    limit = load_policy().limits[Role.CARD]["photocopy"]
    rows: dict[str, list[float | None]] = {}
    copies: dict[str, bool] = {}
    for kind, copied, pixels in cases(arguments.data, arguments.made, not arguments.tuned):
        faces = tuple(loaded.analyser.find(pixels))
        value = photocopy(Examination(Photo(pixels), Role.CARD, faces, loaded.networks)).value
        copies[kind] = copied
        rows.setdefault(kind, []).append(value)
    result = {}
    for kind, values in rows.items():
        result[kind] = {"copies": copies[kind], **figures_of(values, limit)}
        print(kind, json.dumps(result[kind]), flush=True)
    if not arguments.tuned and arguments.pack == "compact":
        path = COMPACT / "figures" / "copy.json"
        path.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
