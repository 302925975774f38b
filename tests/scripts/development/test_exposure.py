"""The table of false match rates by exposure: gains, and pairs before and after the warnings."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from scripts.development.exposure import Gain, _row


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        (Gain("values", 1.0), [0, 100, 200]),
        (Gain("values", 2.0), [0, 200, 255]),
        (Gain("light", 1.0), [0, 100, 200]),
        # sRGB 100 is 0.127 of the light and 200 is 0.578: twice that is sRGB 139 and, clipped, 255.
        (Gain("light", 2.0), [0, 139, 255]),
    ],
)
def test_a_gain_changes_light_or_values(gain: Gain, expected: list[int]) -> None:
    pixels = np.repeat(np.repeat(np.array([0, 100, 200], np.uint8), 32)[None, :, None], 32, axis=0).repeat(3, axis=2)
    changed = gain.applied(pixels)
    assert [int(changed[16, x, 1]) for x in (8, 48, 88)] == pytest.approx(expected, abs=3)


def test_pairs_with_a_warned_photo_are_left_out() -> None:
    # Percent is 100 times the cosine: photos 0 and 1 are alike, photo 2 is like neither.
    matrix = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    pack = SimpleNamespace(calibration=SimpleNamespace(percent=lambda cosine: 100 * cosine))
    row = _row(Gain("values", 3.0), matrix, np.array([True, False, False]), pack)  # type: ignore[arg-type]
    assert (row.found, row.warned, row.pairs, row.errors) == (3, 1, (3, 1), ((1, 1), (0, 0)))
