"""Error rates of the check `recapture` as the library gives it, on photos of faces that no training has seen.

    python -m scripts.training.texture.check_rates --data DATA --pack standard

Real portraits are of the test split; the recaptured faces are those of `spoof`. A photo that is not assessed, or
without a face, raises no warning and counts as such. `--every N` takes every n-th photo of each large set, `--out`
writes one row for each photo.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from facematch_local.checks import Role
from facematch_local.errors import FacematchError
from facematch_local.matcher import FaceMatcher
from facematch_local.packs import find_pack, load_pack
from facematch_local.policy import Outcome
from scripts.training.common.arguments import parser_of
from scripts.training.common.photos import list_photos
from scripts.training.texture.rates import Rate

SETS = ("lfw", "scenes", "east_asian_people", "asian_faces", "masks", "sunglasses", "groups", "spoof")
LFW_SHARE = 6  # every n-th of LFW
SMALL = ("scenes", "groups", "spoof")
RECAPTURED = frozenset({"spoof/0001.jpg", "spoof/0002.jpg"})


@dataclass(frozen=True)
class Answer:
    """The check's answer for one photo.

    Attributes:
        path: relative to the data folder.
        source: the set.
        value: probability of a recapture; None if it was not assessed.
        warned: whether it is beyond the policy's limit.
        reason: why it was not assessed.
    """

    path: str
    source: str
    value: float | None
    warned: bool
    reason: str


def answers(data: Path, matcher: FaceMatcher, every: int) -> Iterator[Answer]:
    """The check on every photo of the test split that can be decoded."""
    counts: dict[str, int] = defaultdict(int)
    for photo in list_photos(data, SETS):
        if not photo.held_out:
            continue
        counts[photo.source] += 1
        share = every * LFW_SHARE if photo.source == "lfw" else 1 if photo.source in SMALL else every
        if counts[photo.source] % share:
            continue
        try:
            _, findings = matcher.examine((data / photo.path).read_bytes(), Role.PORTRAIT)
        except FacematchError:
            continue
        (found,) = (finding for finding in findings if finding.name == "recapture")
        warned = found.outcome is Outcome.WARNING
        yield Answer(photo.path, photo.source, found.measure.value, warned, found.measure.reason)


def main() -> None:
    parser = parser_of(__doc__, "data")
    parser.add_argument("--pack", default="standard")
    parser.add_argument("--every", type=int, default=1, help="every n-th photo of the large sets")
    parser.add_argument("--out", type=Path, help="CSV file with one row for each photo")
    arguments = parser.parse_args()
    sets: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers(arguments.data, FaceMatcher(load_pack(find_pack(arguments.pack))), arguments.every):
        name = answer.source if answer.path not in RECAPTURED else "spoof, recaptured"
        sets[name].append(answer)
    for name, rows in sets.items():
        reasons = sorted({row.reason for row in rows if row.reason})
        rate = Rate(sum(row.warned for row in rows), len(rows))
        print(f"{name}: warned {rate}; not assessed {sum(row.value is None for row in rows)} {reasons or ''}")
    if arguments.out:
        with arguments.out.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(("path", "set", "value", "warned", "reason"))
            writer.writerows((r.path, r.source, r.value, r.warned, r.reason) for rows in sets.values() for r in rows)


if __name__ == "__main__":
    main()
