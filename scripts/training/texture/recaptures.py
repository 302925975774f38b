"""The labelled real recaptures of the data folder: set, species and thing of each photo.

Things are numbered in `things.csv`: photos of one thing, real or recaptured, have one number. The list was
drawn up by matching local features of all photos of a set and corrected on contact sheets. Clips of faces (set f) have
no numbers; no split of that set is used.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

from scripts.training.common.photos import read_rows

THINGS = Path(__file__).with_name("things.csv")
SPECIES = {
    ("a", "screen-laptop"): "a, laptop",
    ("a", "screen-mobile"): "a, phone",
    ("a", "screen-print"): "a, print",
    ("b", "screen"): "b, screen",
    ("f", "screen"): "f, screen",
}
HELD_OUT_SHARE = 4  # every n-th thing is held out


@dataclass(frozen=True)
class Recapture:
    """One photo of the sets of recaptures.

    Attributes:
        path: relative to the data folder.
        source: a, b or f.
        species: kind of attack, "" for a real photo.
        held_out: its thing is kept for the figures of the shipped network.
    """

    path: str
    source: str
    species: str
    held_out: bool


def list_recaptures(data: Path, things: Path = THINGS) -> list[Recapture]:
    """Every photo of `recaptures/labels.csv` in the order of the file."""
    thing = {row["photo"]: row["thing"] for row in read_rows(things)} if things.exists() else {}
    out = []
    for row in read_rows(data / "recaptures" / "labels.csv"):
        name = Path(row["path"]).stem
        source, kind = name[0], name.split("_")[1]
        held = source != "f" and zlib.crc32(thing.get(name.split("_")[0], name).encode()) % HELD_OUT_SHARE == 0
        out.append(Recapture(row["path"], source, SPECIES.get((source, kind), ""), held))
    return out
