"""The comparison of two versions' answers."""

from __future__ import annotations

import base64
import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facematch_local.calibration import GENERIC
from scripts.development.parity import moves, recorded, report


def embedding(cosine: float) -> str:
    """A vector with this cosine to (1, 0), as a record holds it."""
    return base64.b64encode(np.array([cosine, (1 - cosine**2) ** 0.5], "<f4").tobytes()).decode("ascii")


# Cosines in the middle of the verdicts of the generic curve.
UNSURE, MATCH = GENERIC.cosine(70.0), GENERIC.cosine(90.0)
BEFORE = {"a": embedding(1.0), "b": embedding(UNSURE), "c": embedding(MATCH), "d": None}
PAIRS = [("a", "b"), ("a", "c"), ("a", "d")]


def test_equal_answers() -> None:
    found = moves(PAIRS, BEFORE, BEFORE, GENERIC)
    assert (found.pairs, found.largest, found.moved, found.flips) == (2, 0.0, 0, 0)


@pytest.mark.parametrize(
    ("change", "moved", "flips"),
    [
        ({"c": embedding(GENERIC.cosine(90.4))}, 0, 0),
        ({"c": embedding(GENERIC.cosine(91.0))}, 1, 0),
        ({"c": embedding(UNSURE)}, 1, 1),
        ({"c": None}, 0, 1),  # one version only finds a face
        ({"d": embedding(MATCH)}, 0, 1),
    ],
)
def test_moves_and_flips(change: dict[str, str | None], moved: int, flips: int) -> None:
    found = moves(PAIRS, BEFORE, {**BEFORE, **change}, GENERIC)
    assert (found.moved, found.flips) == (moved, flips)


def test_the_report_names_changed_warnings(capsys: pytest.CaptureFixture[str], pack_path: Path) -> None:
    before: dict[str, Any] = {
        "pack": str(pack_path),
        "pairs": {"some": PAIRS},
        "embeddings": BEFORE,
        "answers": {
            "x.jpg (portrait)": {"codes": [], "measures": {"blur": 0.60, "mask": None}},
            "y.jpg (portrait)": {"codes": [9], "measures": {"blur": 0.60, "mask": 0.9}},
        },
    }
    after = copy.deepcopy(before)
    assert report(before, after)
    assert "warnings: 0 of 2 photos changed" in capsys.readouterr().out
    after["answers"]["x.jpg (portrait)"] = {"codes": [10], "measures": {"blur": 0.65, "mask": None}}
    assert report(before, after)  # each such photo is looked at; the exit code is about the pairs
    out = capsys.readouterr().out
    assert "x.jpg (portrait): [] -> [10]: blur 0.600 -> 0.650" in out
    assert "y.jpg" not in out
    after["embeddings"]["c"] = embedding(UNSURE)
    assert not report(before, after)


@pytest.mark.slow
def test_a_record_repeats(shared: Path, pack_path: Path) -> None:
    first, second = (recorded(shared / "data", str(pack_path), 20_000) for _ in range(2))
    assert first == second
    assert first["embeddings"]
    assert first["answers"]
