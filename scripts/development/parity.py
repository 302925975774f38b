"""Compare the answers of two versions of the library on the development data.

Run the first command in a checkout of each version, then the second one:

    python -m scripts.development.parity record ../shared/data before.json --pack standard
    python -m scripts.development.parity compare before.json after.json

The pairs are those of `lfw_pairs.csv` and all pairs of `asian_faces`; the warnings are those of the photos of
`labels.csv`, as portraits, and as cards where the label speaks of a card. `--every N` takes each N-th photo and pair.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facematch_local.calibration import Calibration, verdict
from facematch_local.checks import Role
from facematch_local.errors import FacematchError, PhotoError
from facematch_local.evaluation.table_file import read_rows
from facematch_local.evaluation.verification.dataset import read
from facematch_local.imaging.decode import decode
from facematch_local.matcher import FaceMatcher
from facematch_local.packs import find_pack
from facematch_local.packs.loading import calibration_for
from facematch_local.policy import warnings

_MOVE: Final = 0.5
"""A percentage may move by this much."""
_LISTED: Final = 40
_CARD_CODES: Final = frozenset("1234")


@dataclass(frozen=True, slots=True)
class Moves:
    """How two versions answer the same pairs.

    Attributes:
        pairs: number of pairs with a face in both photos, in both versions.
        largest: largest difference of percentages.
        moved: pairs whose percentage moved by more than `_MOVE`.
        flips: pairs whose verdict changed, and pairs that one version only can compare.
    """

    pairs: int
    largest: float
    moved: int
    flips: int


def main() -> None:
    """Record or compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record", help="write the answers of this version")
    recording.add_argument("data", type=Path, help="folder with lfw_pairs.csv, asian_faces and labels.csv")
    recording.add_argument("output", type=Path)
    recording.add_argument("--pack", default="standard")
    recording.add_argument("--every", type=int, default=1, help="take each N-th photo and pair")
    comparing = commands.add_parser("compare", help="compare the answers of two versions; exit code 1: too different")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    options = parser.parse_args()
    try:
        if options.command == "record":
            cv2.setNumThreads(1)
            options.output.write_text(json.dumps(recorded(options.data, options.pack, options.every)), "utf-8")
            return
        before, after = (json.loads(path.read_text("utf-8")) for path in (options.before, options.after))
        raise SystemExit(0 if report(before, after) else 1)
    except (FacematchError, OSError) as error:
        print(f"parity: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def recorded(data: Path, pack: str, every: int) -> dict[str, Any]:
    """The answers of this version: pairs of photos by set, embeddings by photo, warnings and measures by photo."""
    matcher = FaceMatcher.open(pack)
    pairs = {name: chosen[::every] for name, chosen in listed_pairs(data).items()}
    photos = sorted({photo for chosen in pairs.values() for pair in chosen for photo in pair})
    return {
        "pack": pack,
        "pairs": pairs,
        "embeddings": {photo: embedding_of(matcher, data / photo) for photo in photos},
        "answers": dict(answers(matcher, data, every)),
    }


def listed_pairs(data: Path) -> dict[str, list[tuple[str, str]]]:
    """Pairs of photos by set; names relative to the data folder."""
    lfw = read([data / "lfw_pairs.csv"])
    assert lfw.pairs is not None
    names = [path.relative_to(data).as_posix() for path in lfw.photos]
    faces = sorted(path.relative_to(data).as_posix() for path in read([data / "asian_faces"]).photos)
    return {
        "lfw_pairs": [(names[a], names[b]) for a, b in zip(lfw.pairs.first, lfw.pairs.second, strict=True)],
        "asian_faces": list(itertools.combinations(faces, 2)),
    }


def embedding_of(matcher: FaceMatcher, path: Path) -> str | None:
    """The compared face's embedding, float32 in base64; None without a face."""
    analyser = matcher.pack.analyser
    try:
        pixels = decode(path.read_bytes()).pixels
    except PhotoError:
        return None
    faces = analyser.find(pixels)
    embedding = analyser.embed(pixels, faces[0]).embedding if faces else None
    return None if embedding is None else base64.b64encode(embedding.astype("<f4").tobytes()).decode("ascii")


def answers(matcher: FaceMatcher, data: Path, every: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Warnings and measures of the labelled photos, by photo and role."""
    for row in list(read_rows(data / "labels.csv", ("path", "code", "label")))[::every]:
        name, codes = row.fields["path"], set(row.fields["code"].split("/"))
        for role in (Role.PORTRAIT, *([Role.CARD] if codes & _CARD_CODES else [])):
            try:
                _, findings = matcher.examine((data / name).read_bytes(), role)
            except PhotoError as error:
                yield f"{name} ({role})", {"codes": [type(error).__name__], "measures": {}}
                continue
            yield (
                f"{name} ({role})",
                {
                    "codes": [int(code) for code in warnings(findings)],
                    "measures": {finding.name: finding.measure.value for finding in findings},
                },
            )


def report(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Print the differences; return whether they are within the tolerance for pairs."""
    calibration = calibration_for(find_pack(before["pack"]))
    within = True
    for name, pairs in before["pairs"].items():
        found = moves(pairs, before["embeddings"], after["embeddings"], calibration)
        share = found.flips / max(len(pairs), 1)
        within &= share < 0.0005 and found.moved == 0
        print(
            f"{name}: {found.pairs} pairs, largest move {found.largest:.3f}, {found.moved} moved by more than {_MOVE}, "
            f"{found.flips} verdicts changed ({100 * share:.3f} %)"
        )
    changed = [name for name, old in before["answers"].items() if old["codes"] != after["answers"][name]["codes"]]
    print(f"warnings: {len(changed)} of {len(before['answers'])} photos changed")
    for name in changed[:_LISTED]:
        old, new = before["answers"][name], after["answers"][name]
        measures = "; ".join(difference(check, old["measures"], new["measures"]) for check in old["measures"])
        print(f"  {name}: {old['codes']} -> {new['codes']}: {measures.strip('; ')}")
    return within


def moves(
    pairs: list[tuple[str, str]], before: Mapping[str, str | None], after: Mapping[str, str | None], curve: Calibration
) -> Moves:
    """How two versions answer pairs, given the embeddings of each by photo."""
    first, second = (_vectors(embeddings) for embeddings in (before, after))
    compared, largest, moved, flips = 0, 0.0, 0, 0
    for one, other in pairs:
        lacking = [one not in each or other not in each for each in (first, second)]
        if any(lacking):
            flips += not all(lacking)
            continue
        old, new = (curve.percent(float(np.clip(each[one] @ each[other], -1.0, 1.0))) for each in (first, second))
        compared += 1
        largest = max(largest, abs(new - old))
        moved += abs(new - old) > _MOVE
        flips += verdict(old) is not verdict(new)
    return Moves(compared, largest, moved, flips)


def difference(check: str, before: Mapping[str, float | None], after: Mapping[str, float | None]) -> str:
    """A measure that changed, as text; "" if it did not."""
    old, new = before[check], after.get(check)
    if old is None or new is None:
        return "" if old is new else f"{check} {old} -> {new}"
    return f"{check} {old:.3f} -> {new:.3f}" if abs(old - new) > 5e-4 else ""


def _vectors(embeddings: Mapping[str, str | None]) -> dict[str, NDArray[np.float32]]:
    return {
        photo: np.frombuffer(base64.b64decode(text), "<f4") for photo, text in embeddings.items() if text is not None
    }


if __name__ == "__main__":
    main()
