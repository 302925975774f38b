"""Keep the raw measures of every photo of a label list, so that limits can be chosen again in seconds.

    python -m scripts.development.measures lists/development.csv --data ../shared/data --pack standard -o FILE
    python -m scripts.development.measures lists/development.csv --data ../shared/data --pack standard -o FILE \
        --again sunglasses head_covering

A photo that the file already has is not examined again. `--again` takes the named measures anew from the faces that the
file has, for example after a network was trained. `--synthetic N` adds N synthetic cases of each kind, drawn from the
photos of the list as by `facematch evaluate warnings`; `--only WORD` keeps the kinds that have the word.
`scripts.development.limits` reads the file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from facematch_local.checks import CHECKS, Examination, Role
from facematch_local.errors import FacematchError, PhotoError
from facematch_local.evaluation.warnings.cases import Case
from facematch_local.evaluation.warnings.evaluate import Request, select
from facematch_local.faces import Face
from facematch_local.imaging.decode import decode, from_array
from facematch_local.imaging.photo import Pixels
from facematch_local.matcher import FaceMatcher

_SAVE_EVERY = 100


@dataclass(frozen=True, slots=True)
class Measured:
    """The raw measures of one photo in one role.

    Attributes:
        faces: found faces, largest first; each 15 numbers: box, five landmarks, score. None: not decoded.
        values: measure by name of the check; None if it was not assessed.
        reasons: why, by name of the check.
    """

    faces: Sequence[Sequence[float]] | None
    values: Mapping[str, float | None] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)


def read_measures(file: Path) -> dict[tuple[str, Role], Measured]:
    """The measures of a file by path and role; empty if there is no file.

    Raises:
        OSError, ValueError: the file cannot be read.
    """
    if not file.exists():
        return {}
    rows: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return {(row["path"], Role(row["role"])): Measured(row["faces"], row["values"], row["reasons"]) for row in rows}


def write_measures(file: Path, measured: Mapping[tuple[str, Role], Measured]) -> None:
    """Write the measures whole or not at all."""
    rows = [
        {"path": path, "role": str(role), "faces": entry.faces, "values": entry.values, "reasons": entry.reasons}
        for (path, role), entry in measured.items()
    ]
    part = file.with_suffix(".part")
    part.write_text(json.dumps(rows), "utf-8")
    os.replace(part, file)


def examine(matcher: FaceMatcher, content: bytes | Pixels, role: Role) -> Measured:
    """All measures of one photo."""
    try:
        result, _ = matcher.examine(content, role)
    except PhotoError:
        return Measured(None)
    faces = [[*map(float, face.box), *map(float, face.landmarks.ravel()), float(face.score)] for face in result.faces]
    values = {name: measure.value for name, measure in result.measures.items()}
    reasons = {name: measure.reason for name, measure in result.measures.items() if measure.reason}
    return Measured(faces, values, reasons)


def examine_again(
    matcher: FaceMatcher, content: bytes | Pixels, role: Role, before: Measured, names: Iterable[str]
) -> Measured:
    """The named measures anew, from the faces of before; without embeddings."""
    if before.faces is None:
        return before
    rows = [np.array(row, np.float32) for row in before.faces]
    faces = tuple(Face(row[:4], row[4:14].reshape(5, 2), float(row[14])) for row in rows)
    photo = decode(content) if isinstance(content, bytes) else from_array(content)
    examination = Examination(photo, role, faces, matcher.pack.networks, matcher.pack.calibration)
    values, reasons = dict(before.values), dict(before.reasons)
    for check in CHECKS[role]:
        if check.name in names:
            measure = check.measure(examination)
            values[check.name] = measure.value
            reasons.pop(check.name, None)
            if measure.reason:
                reasons[check.name] = measure.reason
    return Measured(before.faces, values, reasons)


def cases_of(request: Request, only: str) -> list[Case]:
    """The cases of a list, with the synthetic ones whose kind has the word `only`.

    Raises:
        InputError: a list cannot be used, or it has too few photos to draw from.
    """
    return [case for case in select(request).cases if not case.synthetic or only in case.kind]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 2 if the list or the pack cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path, help="list of `scripts.development.labels`")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pack", default="auto")
    parser.add_argument("--leave-out", type=Path, action="append", default=[])
    parser.add_argument("--synthetic", type=int, default=0, metavar="N")
    parser.add_argument("--only", default="", metavar="WORD", help="synthetic cases of the kinds with this word")
    parser.add_argument("--again", nargs="+", default=[], metavar="CHECK", help="take these measures anew")
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        matcher = FaceMatcher.open(options.pack)
        measured = read_measures(options.out)
        request = Request(options.labels, options.data, synthetic=options.synthetic, leave_out=tuple(options.leave_out))
        photos = {(case.name, case.role): case for case in cases_of(request, options.only)}
        for done, ((name, role), case) in enumerate(photos.items(), 1):
            before = measured.get((name, role))
            if before is None:
                measured[name, role] = examine(matcher, case.read(), role)
            elif options.again:
                measured[name, role] = examine_again(matcher, case.read(), role, before, options.again)
            if done % _SAVE_EVERY == 0:
                write_measures(options.out, measured)
        write_measures(options.out, measured)
    except (FacematchError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{options.out}: {len(measured)} photos and roles")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
