"""Simulated captures: boxes follow the face, displays leave a grid."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from scripts.training.recapture import chain


def photo_with_a_green_face() -> tuple[np.ndarray, np.ndarray]:
    photo = np.full((240, 240, 3), (160, 90, 160), np.uint8)
    photo[70:170, 80:160] = (40, 200, 40)
    return photo, np.array([80, 70, 160, 170], np.float32)


def greenness(image: np.ndarray) -> float:
    blue, green, red = (float(image[..., channel].mean()) for channel in range(3))
    return green / max(blue + red, 1.0)


def cases() -> Iterator[object]:
    """A family and a seed: a live face, a print and a display by default, everything in the slow tests."""
    fast = {("live", 1), (chain.PRINT_FAMILIES[0], 1), (chain.SCREEN_FAMILIES[0], 1)}
    for family in ("live", *chain.PRINT_FAMILIES, *chain.SCREEN_FAMILIES):
        for seed in (1, 2, 3):
            yield pytest.param(family, seed, marks=() if (family, seed) in fast else pytest.mark.slow)


@pytest.mark.parametrize(("family", "seed"), cases())
def test_the_box_stays_on_the_face(family: str, seed: int) -> None:
    photo, box = photo_with_a_green_face()
    behind = np.full((90, 90, 3), 120, np.uint8)
    rng = np.random.default_rng(seed)
    if family == "live":
        shot = chain.live(photo, box, rng)
    elif family in chain.PRINT_FAMILIES:
        shot = chain.printed(photo, box, family, behind, rng)
    else:
        shot = chain.screen(photo, box, family, behind, rng)
    assert shot.kind == ("live" if family == "live" else "print" if family in chain.PRINT_FAMILIES else "screen")
    width, height = shot.box[2] - shot.box[0], shot.box[3] - shot.box[1]
    assert width > 25
    left, top = (int(v) for v in shot.box[:2] + np.array([0.2 * width, 0.2 * height]))
    right, bottom = (int(v) for v in shot.box[2:] - np.array([0.2 * width, 0.2 * height]))
    inside = shot.image[max(top, 0) : bottom, max(left, 0) : right]
    assert inside.size
    if family not in ("am_grey", "line_screen"):  # those two may be printed in black alone
        assert greenness(inside) > greenness(shot.image) - 0.02
        # White that is mirrored takes colour from a display without any grid; plain grey has 0.5.
        assert greenness(inside) > (0.5 if family == "fine" else 0.55)


@pytest.mark.slow
def test_a_display_leaves_a_grid_in_the_spectrum_and_a_live_face_does_not() -> None:
    rng = np.random.default_rng(0)
    photo = rng.normal(128, 6, (300, 300, 1)).repeat(3, axis=2).astype(np.uint8)
    box = np.array([100, 100, 200, 200], np.float32)

    def strongest_peak(image: np.ndarray) -> float:
        grey = image[..., 1].astype(float)
        part = grey[: min(128, *grey.shape), : min(128, *grey.shape)]
        power = np.abs(np.fft.rfft2((part - part.mean()) * np.hanning(len(part))[:, None] * np.hanning(len(part)))) ** 2
        power[:3, :3] = power[-3:, :3] = 0
        return float(power.max() / (np.median(power) + 1))

    live = [strongest_peak(chain.live(photo, box, rng).image) for _ in range(12)]
    shown = [strongest_peak(chain.screen(photo, box, "stripe", photo, rng).image) for _ in range(12)]
    assert np.median(shown) > 5 * np.median(live)
