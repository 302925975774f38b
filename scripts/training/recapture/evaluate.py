"""Measure the recapture network of a pack on the captures of `data.py`; writes `figures/recapture.json` of the pack.

python -m scripts.training.recapture.evaluate --data DATA --teachers TEACHERS --work WORK --steps 4500
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facematch_local.imaging.spectrum import period_of
from facematch_local.networks.recapture import recapture_crop
from scripts.training.common.arguments import add_out, parser_of
from scripts.training.common.faces import find_faces
from scripts.training.common.figures import GRID, operating_points, write_figures
from scripts.training.common.image import Array
from scripts.training.common.photos import LONGEST, list_portraits, load_photo
from scripts.training.common.sessions import open_session
from scripts.training.recapture.chain import UNSEEN
from scripts.training.recapture.data import build, set_aside


def scores_of(model: Path, wide: Array, periods: Array) -> Array:
    """Probabilities [N,3] through the exported file."""
    session, parts = open_session(model), []
    for i in range(0, len(wide), 32):
        inputs = {"wide": np.asarray(wide[i : i + 32]), "period": periods[i : i + 32, None].astype(np.float32)}
        parts.append(session.run(["scores"], inputs)[0])
    return np.concatenate(parts)


def figures_of(scores: Array, kinds: Array, names: list[list[str]]) -> dict[str, Any]:
    """1 - live as attack score: by family against all live, and the share of real live photos above each threshold."""
    attack = 1 - scores[:, 0]
    family = np.array([name[1] for name in names])
    source = np.array([name[2] for name in names])
    is_live = kinds == 0
    out: dict[str, Any] = {"all made recaptures": operating_points(attack, ~is_live)}
    for name in sorted(set(family[~is_live])):
        chosen = is_live | (family == name)
        points = operating_points(attack[chosen], ~is_live[chosen])
        out[name] = {key: points[key] for key in ("positives", "auc", "found at 1%", "found at 3%", "found at 5%")}
    for kind in ("raw", "live"):
        for name in sorted(set(source)):
            chosen = (family == kind) & (source == name)
            if chosen.any():
                label = f"BPCER {'photos as they are' if kind == 'raw' else 'edited photos'}, {name}"
                out[label] = {str(t): round(float((attack[chosen] > t).mean()), 4) for t in GRID} | {
                    "n": int(chosen.sum())
                }
    spoof = ~is_live
    out["print told from screen"] = round(float(((scores[:, 1] > scores[:, 2]) == (kinds == 1))[spoof].mean()), 4)
    return out


def smoke_test(model: Path, data: Path, teachers: Path, work: Path) -> dict[str, list[float]]:
    """Live, print, screen of the few real samples there are: no measurement."""
    faces = find_faces(data, teachers, work / "faces.json")
    out = {}
    for photo in list_portraits(data):
        image = load_photo(data / photo.path, LONGEST) if photo.source == "spoof" and photo.path in faces else None
        if image is not None:
            box = faces[photo.path].box
            periods = np.array([period_of(image, box) or 0.0])
            scores = scores_of(model, recapture_crop(image, box)[None], periods)
            out[photo.path] = [round(float(v), 3) for v in scores[0]]
    return out


def main() -> None:
    parser = parser_of(__doc__, "data", "teachers", "work")
    parser.add_argument("--steps", type=int, required=True, help="of the distillation, for the record")
    add_out(parser)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    data, teachers, work = arguments.data, arguments.teachers, arguments.work
    model = arguments.out / "networks" / "recapture.onnx"
    wide, periods, kinds, names = build(data, teachers, work, held_out=False)
    apart = np.array([set_aside(path, source) for path, _, source in names])
    kept = [name for name, chosen in zip(names, apart, strict=True) if chosen]
    result: dict[str, Any] = {
        "steps": arguments.steps,
        "set aside": figures_of(scores_of(model, wide[apart], periods[apart]), kinds[apart], kept),
        "families tested only": sorted(UNSEEN),
        "real samples: live, print, screen": smoke_test(model, data, teachers, work),
    }
    print(json.dumps(result, indent=1), flush=True)
    wide, periods, kinds, names = build(data, teachers, work, held_out=True)
    result["test"] = figures_of(scores_of(model, wide, periods), kinds, names)
    write_figures(arguments.out / "figures" / "recapture.json", result)
    print(json.dumps(result["test"], indent=1))


if __name__ == "__main__":
    main()
