"""CPU time of each check on photos, in milliseconds; run it in a checkout of each of two versions to compare them.

    python scripts/check_times.py --pack standard
    python scripts/check_times.py --pack standard --role portrait --rounds 40 PHOTO [PHOTO ...]

Without photos it takes the benchmark's card and portrait, and a portrait of 12 megapixels. What several checks share
counts for the first of them. The photo lies in the processor's caches, so that a match takes somewhat more. Compare
ratios: the times depend on the machine and its other load.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2

from facematch_local.checks import CHECKS, Examination, Role
from facematch_local.errors import FacematchError
from facematch_local.matcher import FaceMatcher
from facematch_local.packs import SessionSettings
from scripts.benchmarking.photos import portrait_of, standard_pair

_SHOWN = 0.1  # milliseconds


def check_times(matcher: FaceMatcher, photo: bytes, role: Role, rounds: int) -> dict[str, float]:
    """Median CPU time of each check of the role, in milliseconds, by name.

    Raises:
        PhotoError: the photo cannot be decoded, or is over a limit.
    """
    seen, _ = matcher.examine(photo, role)
    taken: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        examination = Examination(seen.photo, role, seen.faces, matcher.pack.networks, matcher.pack.calibration)
        for check in CHECKS[role]:
            begun = time.thread_time()
            check.measure(examination)
            taken[check.name].append(1000 * (time.thread_time() - begun))
    return {name: statistics.median(values) for name, values in taken.items()}


def _photos(paths: Sequence[Path], role: Role) -> Iterator[tuple[str, bytes, Role]]:
    """Name, encoded photo and role."""
    if paths:
        yield from ((path.name, path.read_bytes(), role) for path in paths)
        return
    pair = standard_pair()
    yield "the benchmark's card", pair.card, Role.CARD
    yield "the benchmark's portrait", pair.portrait, Role.PORTRAIT
    yield "a portrait of 12 megapixels", portrait_of(12, "JPEG"), Role.PORTRAIT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 2 if the pack or a photo cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="*", metavar="PHOTO")
    parser.add_argument("--pack", default="auto")
    parser.add_argument("--role", type=Role, choices=tuple(Role), default=Role.PORTRAIT, help="of the given photos")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    try:
        matcher = FaceMatcher.open(options.pack, sessions=SessionSettings(intra_op_threads=1))
        for name, photo, role in _photos(options.photos, options.role):
            taken = check_times(matcher, photo, role, options.rounds)
            print(f"{name}: {sum(taken.values()):.1f} ms")
            for check, milliseconds in sorted(taken.items(), key=lambda item: -item[1]):
                if milliseconds >= _SHOWN:
                    print(f"  {check:<22}{milliseconds:6.1f}")
    except (FacematchError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
