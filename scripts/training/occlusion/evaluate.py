"""Measure the occlusion network of a pack on the crops of `data.py`; writes `figures/occlusion.json` of the pack.

python -m scripts.training.occlusion.evaluate --data DATA --teachers TEACHERS --work WORK --steps 6000
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scripts.training.common.arguments import add_out, parser_of
from scripts.training.common.figures import operating_points, write_figures
from scripts.training.common.image import Array
from scripts.training.common.sessions import open_session
from scripts.training.occlusion.data import OUTPUTS, build, plain


def scores_of(model: Path, crops: Array) -> Array:
    """Probabilities [N,4] of stored crops, through the exported file."""
    session = open_session(model)
    parts = [session.run(["scores"], {"face": plain(crops[i : i + 64])})[0] for i in range(0, len(crops), 64)]
    return np.concatenate(parts)


def figures_of(scores: Array, labels: Array, names: list[str]) -> dict[str, Any]:
    """Found at 1, 3 and 5 % false alarms per output; photos as they are and drawn ones apart."""
    real = np.array(["#" not in name for name in names])
    out: dict[str, Any] = {}
    for column, output in enumerate(OUTPUTS):
        for kind, chosen in (("real", real), ("drawn", ~real)):
            known = chosen & (labels[:, column] >= 0)
            if known.any() and 0 < labels[known, column].sum() < known.sum():
                out[f"{output} {kind}"] = operating_points(scores[known, column], labels[known, column] == 1)
    return out


def main() -> None:
    parser = parser_of(__doc__, "data", "teachers", "work")
    parser.add_argument("--steps", type=int, required=True, help="of the training, for the record")
    add_out(parser)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    model = arguments.out / "networks" / "occlusion.onnx"
    crops, labels, names = build(arguments.data, arguments.teachers, arguments.work, held_out=False)
    third = slice(None, None, 3)  # of the training half, enough to choose thresholds on
    chosen = figures_of(scores_of(model, crops[third]), labels[third], names[third])
    result: dict[str, Any] = {"steps": arguments.steps, "train": chosen}
    crops, labels, names = build(arguments.data, arguments.teachers, arguments.work, held_out=True)
    scores = scores_of(model, crops)
    np.save(arguments.work / "occlusion_test" / "scores.npy", scores)
    result["test"] = figures_of(scores, labels, names)
    write_figures(arguments.out / "figures" / "occlusion.json", result)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
