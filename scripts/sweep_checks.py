"""Run every check on every photo of a folder and report exceptions.

A match reports a failed check as "not assessed", which hides the exception. This script decodes each file below the
folder in the same way as the service, finds its faces once, and runs the checks of both roles one by one. Arithmetic
warnings (NumPy's `RuntimeWarning`) and results that are not finite count as exceptions. The report gives, for each
check, the number of assessed photos and the reasons for the others, and lists all exceptions. Exit code 1 after an
exception.

    python scripts/sweep_checks.py FOLDER [--pack NAME] [--jobs 2]
"""

from __future__ import annotations

import argparse
import functools
import math
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from facematch_local.checks import CHECKS, Examination, Role
from facematch_local.errors import FacematchError
from facematch_local.faces import Face
from facematch_local.imaging.decode import decode
from facematch_local.matcher import face_crop
from facematch_local.packs import DEFAULT_PACK, LoadedPack, find_pack, load_pack

PROGRESS = 250
# Number of faces to embed, the most that a match embeds: the compared one and its possible ghost portraits.
EMBEDDED = 4


class NoFiniteNumberError(Exception):
    """A check returned a number that is not finite."""


@dataclass(frozen=True)
class Raised:
    """An exception: the file, the step, and the traceback."""

    path: Path
    work: str
    traceback: str


@dataclass
class Sweep:
    """The result for one file or for all files.

    Attributes:
        files: number of files.
        undecodable: number of files that cannot be decoded.
        faceless: number of photos without a face.
        assessed: number of assessed photos by role and check.
        left: number of photos not assessed, by role, check and reason.
        raised: all exceptions.
    """

    files: int = 0
    undecodable: int = 0
    faceless: int = 0
    assessed: Counter[tuple[str, str]] = field(default_factory=Counter)
    left: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    raised: list[Raised] = field(default_factory=list)

    def add(self, other: Sweep) -> None:
        """Add the result for other files."""
        self.files += other.files
        self.undecodable += other.undecodable
        self.faceless += other.faceless
        self.assessed.update(other.assessed)
        self.left.update(other.left)
        self.raised.extend(other.raised)

    @contextmanager
    def noting(self, path: Path, work: str) -> Iterator[None]:
        """Record an exception of the body instead of raising it."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                yield
        except Exception:
            self.raised.append(Raised(path, work, traceback.format_exc()))


def main() -> int:
    options = _options()
    try:
        pack = find_pack(options.pack)
        load_pack(pack)  # report a damaged pack at the start
    except FacematchError as error:
        print(f"sweep_checks: {error}", file=sys.stderr)
        return 2
    files = sorted(path for path in options.folder.rglob("*") if path.is_file())
    if not files:
        print(f"sweep_checks: no files below {options.folder}", file=sys.stderr)
        return 2
    begun, total = time.monotonic(), Sweep()
    with ProcessPoolExecutor(options.jobs) as processes:
        for found in processes.map(functools.partial(_sweep, pack.folder), files, chunksize=8):
            total.add(found)
            if total.files % PROGRESS == 0 or total.files == len(files):
                seconds = time.monotonic() - begun
                print(f"{total.files}/{len(files)} files, {seconds:.0f} s, {len(total.raised)} raised", flush=True)
    _report(total, options.pack)
    return 1 if total.raised else 0


# -- one file, in a process of the pool -------------------------------------------------------------


@functools.cache
def _opened(folder: Path) -> LoadedPack:
    return load_pack(find_pack(str(folder)))


def _sweep(folder: Path, path: Path) -> Sweep:
    return sweep(_opened(folder), path)


def sweep(pack: LoadedPack, path: Path) -> Sweep:
    """Run all steps of a match and all checks on one photo, in both roles."""
    seen = Sweep(files=1)
    try:
        photo = decode(path.read_bytes())
    except FacematchError:
        seen.undecodable = 1
        return seen
    faces: tuple[Face, ...] | None = None
    with seen.noting(path, "finding faces"):
        faces = pack.analyser.find(photo.pixels)
        faces = (*(pack.analyser.embed(photo.pixels, face) for face in faces[:EMBEDDED]), *faces[EMBEDDED:])
    if faces is None:
        return seen
    seen.faceless = int(not faces)
    with seen.noting(path, "cutting the face"):
        for face in faces[:1]:
            face_crop(photo, face)
            pack.analyser.align(photo.pixels, face)
    for role in Role:
        _measure(seen, path, Examination(photo, role, faces, pack.networks, pack.calibration))
    return seen


def _measure(seen: Sweep, path: Path, examination: Examination) -> None:
    for check in CHECKS[examination.role]:
        with seen.noting(path, f"{check.name} of a {examination.role}"):
            taken = check.measure(examination)
            if taken.value is None:
                seen.left[examination.role, check.name, taken.reason] += 1
            elif math.isfinite(taken.value):
                seen.assessed[examination.role, check.name] += 1
            else:
                raise NoFiniteNumberError(str(taken.value))


# -- the report -------------------------------------------------------------------------------------


def _report(total: Sweep, pack: str) -> None:
    photos = total.files - total.undecodable
    print(f"\npack {pack}: {total.files} files, {total.undecodable} not decodable, {photos} photos examined")
    print(f"{photos - total.faceless} with a face, {total.faceless} without\n")
    for role in Role:
        for check in CHECKS[role]:
            print(f"{role:9s}{check.name:21s}{total.assessed[role, check.name]:7d} assessed")
            reasons = {reason: n for (r, name, reason), n in total.left.items() if (r, name) == (role, check.name)}
            for reason, number in sorted(reasons.items(), key=lambda each: -each[1]):
                print(f"{'':30s}{number:7d} not assessed: {reason}")
    for raised in total.raised:
        print(f"\nRAISED: {raised.work}, {raised.path}\n{raised.traceback.rstrip()}")
    print(f"\n{len(total.raised)} raised")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run every check on every photo of a folder and report exceptions.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder with photos, including its subfolders")
    parser.add_argument("--pack", default=DEFAULT_PACK, help="name or folder of a pack (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="number of processes (default: 1)")
    options = parser.parse_args()
    if options.jobs < 1:
        parser.error("--jobs must be at least 1")
    return options


if __name__ == "__main__":
    sys.exit(main())
