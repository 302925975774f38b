"""Effect of the face filter on whole photos: faces found and false faces, as the library looks.

    python -m scripts.training.face_filter.evaluate --data DATA --reference MODELS/reference/det_scrfd/FILE.onnx

Photos and truths are those of `common/held_out.py`: the half not trained on, the reference detector as truth.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facematch_local.packs import load_pack, read_pack
from scripts.training.common.arguments import add_pack, parser_of
from scripts.training.common.detection import as_library, false_faces, recall, remembered, scrfd
from scripts.training.common.held_out import SEED, Held, blurred, dark, grey, turned, worn


def main() -> None:
    parser = parser_of(__doc__, "data", "reference")
    parser.add_argument("--truth", type=Path, help="file that keeps the reference's answers between runs")
    add_pack(parser)
    parser.add_argument("--limit", type=int, default=150, help="photos per set and synthetic case")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    reference = scrfd(arguments.reference)
    if arguments.truth:
        reference = remembered(reference, arguments.truth)
    held = Held(arguments.data, reference, lfw=1000, limit=arguments.limit, few=arguments.limit)
    cases = {f"{source}, main face": held.main_face(source) for source in ("sunglasses", "masks", "scenes")}
    changes = {
        "dark": dark, "blurred": blurred, "grey copy": grey, "drawn mask": worn("mask"),
        "turned by 30 degrees": turned(30), "turned by 90 degrees": turned(90),
    }  # fmt: skip
    for name, change in changes.items():
        rng = np.random.default_rng(SEED)
        cases[f"made: {name}"] = [change(photo, rng) for photo in held.labelled]
    analyser = load_pack(read_pack(arguments.pack)).analyser
    analysers = {"without": replace(analyser, confirmer=None), "with": analyser}
    result: dict[str, Any] = {
        name: {kind: recall(as_library(one), of_kind, 640).report() for kind, of_kind in cases.items()}
        | {"false faces, no_card without people": false_faces(as_library(one), held.blank, 640)}
        for name, one in analysers.items()
    }
    print(json.dumps(result, indent=1))
    path = arguments.pack / "figures" / "confirmation.json"
    figures = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(figures | {"photos": result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
