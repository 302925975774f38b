"""Report the false match rate by exposure, before and after the exposure checks remove photos.

    python -m scripts.development.exposure ../shared/data --pack standard --split test

One photo of each LFW person is brightened or darkened: its light is multiplied by a gain and clipped, or its sRGB
values are. Every pair of different people with the same gain is compared. "After" leaves out each pair with a photo
that raises code 10 through `over_exposure`, `under_exposure` or `dynamic_range`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facematch_local.checks import Examination, Role, exposure
from facematch_local.checks.check import Measure
from facematch_local.evaluation.table_file import read_rows
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo, Pixels
from facematch_local.packs import LoadedPack, find_pack, load_pack
from facematch_local.policy import Policy, load_policy, warnings
from scripts.development.split import Split, held_out_people, split_of

_QUALITY: Final = 90
_SUPPORTED: Final = (65.0, 75.0)


@dataclass(frozen=True, slots=True)
class Gain:
    """A factor on the light ("light") or on the sRGB values ("values") of a photo."""

    of: str
    factor: float

    def applied(self, pixels: Pixels) -> Pixels:
        """The photo with the gain, clipped and JPEG-compressed; HxWx3 uint8 BGR."""
        value = np.arange(256) / 255
        if self.of == "light":
            light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4) * self.factor
            light = np.clip(light, 0, 1)
            value = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
        else:
            value = np.clip(value * self.factor, 0, 1)
        changed = cv2.LUT(pixels, (value * 255 + 0.5).astype(np.uint8))
        encoded = cv2.imencode(".jpg", changed, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
        return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


GAINS: Final = (
    *(Gain("values", factor) for factor in (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 0.5, 0.3, 0.2, 0.12)),
    *(Gain("light", factor) for factor in (2.0, 4.0, 8.0, 0.25, 0.1, 0.05, 0.02)),
)


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one gain.

    Attributes:
        gain: the change of the photos.
        found: photos with a face.
        warned: of these, photos that raise code 10 through exposure.
        pairs: impostor pairs before and after.
        errors: false matches at 65 and 75 % before, then after.
    """

    gain: Gain
    found: int
    warned: int
    pairs: tuple[int, int]
    errors: tuple[tuple[int, int], tuple[int, int]]


def photos(data: Path, split: Split) -> list[Path]:
    """The first photo of every person of the LFW pairs that belongs to the split."""
    pairs = data / "lfw_pairs.csv"
    people = held_out_people(pairs)
    first: dict[str, str] = {}
    for row in read_rows(pairs, ("path1", "path2")):
        for column in ("path1", "path2"):
            first.setdefault(str(Path(row.fields[column]).parent), row.fields[column])
    return [data / path for path in sorted(first.values()) if split_of(path, people) is split]


def warned(face: Face, pixels: Pixels, policy: Policy) -> bool:
    """Whether the exposure checks raise a warning for the photo."""
    examination = Examination(Photo(pixels), Role.PORTRAIT, (face,))
    measures: dict[str, Measure] = {
        "over_exposure": exposure.over_exposure(examination),
        "under_exposure": exposure.under_exposure(examination),
        "dynamic_range": exposure.dynamic_range(examination),
    }
    return bool(warnings(policy.judge(1, Role.PORTRAIT, measures)))


def rows(pack: LoadedPack, files: Sequence[Path], policy: Policy) -> Iterator[Row]:
    """The figures of every gain in `GAINS`."""
    for gain in GAINS:
        embeddings: list[NDArray[np.float32]] = []
        flags: list[bool] = []
        for file in files:
            pixels = gain.applied(np.asarray(cv2.imread(str(file)), np.uint8))
            if not (faces := pack.analyser.find(pixels)):
                continue
            face = pack.analyser.embed(pixels, faces[0])
            assert face.embedding is not None
            embeddings.append(face.embedding)
            flags.append(warned(face, pixels, policy))
        matrix, bad = np.stack(embeddings), np.array(flags)
        yield _row(gain, matrix, bad, pack)


def _row(gain: Gain, matrix: NDArray[np.float32], bad: NDArray[np.bool_], pack: LoadedPack) -> Row:
    upper = np.triu_indices(len(matrix), 1)
    percent = np.array([pack.calibration.percent(float(value)) for value in (matrix @ matrix.T)[upper]])
    kept = percent[~(bad[upper[0]] | bad[upper[1]])]
    # The contract calls 75 unsure and above 75 a match.
    errors = [(int((p >= _SUPPORTED[0]).sum()), int((p > _SUPPORTED[1]).sum())) for p in (percent, kept)]
    return Row(gain, len(matrix), int(bad.sum()), (len(percent), len(kept)), (errors[0], errors[1]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with lfw/ and lfw_pairs.csv")
    parser.add_argument("--pack", default="auto")
    parser.add_argument("--split", type=Split, choices=list(Split), default=Split.TEST)
    parser.add_argument("--limit", type=int, default=300, help="at most this number of people")
    options = parser.parse_args(arguments)
    files = photos(options.data, options.split)[: options.limit]
    print(
        f"{len(files)} people\n| Gain | Faces | Warned | FMR at 65 %, before | after | FMR above 75 %, before | after |"
    )
    print("|---|---|---|---|---|---|---|")
    for row in rows(load_pack(find_pack(options.pack)), files, load_policy()):
        (low, high), (low_after, high_after) = row.errors
        before, after = row.pairs
        figures = [f"{low / before:.1e}", _rate(low_after, after), f"{high / before:.1e}", _rate(high_after, after)]
        share = f"{100 * row.warned / row.found:.0f} %"
        print(f"| {row.gain.of} x {row.gain.factor:g} | {row.found} | {share} | {' | '.join(figures)} |", flush=True)
    return 0


def _rate(errors: int, pairs: int) -> str:
    return f"{errors / pairs:.1e} of {pairs}" if pairs else "no pair left"


if __name__ == "__main__":
    sys.exit(main())
