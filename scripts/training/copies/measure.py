"""How well grey copies are told from documents in colour with the copy head, on the half not trained on.

    python scripts/training/copies/measure.py --data DATA

Real copies and specimens, and made cards of `facematch_local.evaluation`, other code than what drew the documents for
the training. What the classical measure says of the same photos stands beside it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import paths  # noqa: F401
from photos import read_rows
from sets import portraits_and_grounds

from facematch_local.checks import Role, Subject
from facematch_local.checks.photocopy import colour
from facematch_local.codes import WarningCode
from facematch_local.evaluation.warnings.synthetic_cases import synthetic_cases
from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import Photo, Pixels
from facematch_local.networks import Networks
from facematch_local.packs import find_pack, load_pack
from facematch_local.policy import load_policy
from scripts.development.split import held_out

ROOT = Path(__file__).resolve().parents[3]
HEADS = ROOT / "scripts" / "training" / "heads"
COPIES, CARDS = "photocopies", "cards"
QUANTILES = (0.02, 0.05, 0.5, 0.95, 0.98)


def cases(data: Path, count: int, unseen: bool) -> Iterator[tuple[str, bool, Pixels]]:
    """Kind, whether it is a grey copy, photo."""
    for folder in (COPIES, CARDS):
        for file in sorted((data / folder).iterdir()):
            if held_out(f"{folder}/{file.name}") is unseen:
                yield folder, folder == COPIES, decode(file.read_bytes()).pixels
    portraits, grounds = portraits_and_grounds(data, unseen)
    doubtful = {row["path"] for row in read_rows(HEADS / "warnings_left_out.csv")}
    portraits, grounds = (
        [p for p in files if p.relative_to(data).as_posix() not in doubtful] for files in (portraits, grounds)
    )
    for case in synthetic_cases(portraits, grounds, count, seed=2):
        if case.code is WarningCode.PHOTOCOPY:
            yield f"made, {case.kind}", case.positive, np.asarray(case.read())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pack", default="compact")
    parser.add_argument("--made", type=int, default=100, help="made cards of each kind")
    parser.add_argument("--tuned", action="store_true", help="the half trained on instead; nothing is written")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    loaded = load_pack(find_pack(arguments.pack))
    limits = load_policy().limits[Role.CARD]
    least = {name: limits[f"document_colour.{name}"].minimum or 0.0 for name in ("head", "classical")}
    rows: dict[str, list[tuple[float, float]]] = {}
    copies: dict[str, bool] = {}
    for kind, copied, pixels in cases(arguments.data, arguments.made, not arguments.tuned):
        faces = tuple(loaded.analyser.find(pixels))
        found = [colour(Subject(Photo(pixels), Role.CARD, faces, heads)).value for heads in (loaded.heads, Networks())]
        copies[kind] = copied
        rows.setdefault(kind, []).append(tuple(np.nan if value is None else value for value in found))  # type: ignore[arg-type]
    result = {}
    for kind, values in rows.items():
        head, classical = np.array(values).T
        seen = head[~np.isnan(head)]
        result[kind] = {
            "photos": len(values),
            "copies": copies[kind],
            "not_assessed": int(np.isnan(head).sum()),
            "said_to_be_a_copy": int((head < least["head"]).sum()),
            "by_the_classical_measure": int((classical < least["classical"]).sum()),
            "head_quantiles": np.quantile(seen, QUANTILES).round(3).tolist() if len(seen) else None,
        }
        print(kind, json.dumps(result[kind]), flush=True)
    if not arguments.tuned and arguments.pack == "compact":
        path = ROOT / "models" / "compact" / "figures" / "copy.json"
        path.write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
