"""The made training photos of the heads are what they claim: boxes follow the face, labels follow what was drawn."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "scripts" / "training" / "heads"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"head_training_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


chain = load("recapture_chain")
occluders = load("occluders")


def photo_with_a_green_face() -> tuple[np.ndarray, np.ndarray]:
    photo = np.full((240, 240, 3), (160, 90, 160), np.uint8)
    photo[70:170, 80:160] = (40, 200, 40)
    return photo, np.array([80, 70, 160, 170], np.float32)


def greenness(image: np.ndarray) -> float:
    blue, green, red = (float(image[..., channel].mean()) for channel in range(3))
    return green / max(blue + red, 1.0)


@pytest.mark.parametrize("family", ["live", *chain.PRINT_FAMILIES, *chain.SCREEN_FAMILIES])
@pytest.mark.parametrize("seed", [1, 2, 3])
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


def flat_mesh() -> np.ndarray:
    """468 points of a plain oval face in the canvas: enough for every drawer to find brows, eyes, lips and jaw."""
    rng = np.random.default_rng(0)
    mesh = np.array([160, 190], np.float32) + rng.normal(0, 20, (468, 2)).astype(np.float32)
    middle = np.array([160.0, 195.0])
    for i, index in enumerate(occluders.JAW):
        angle = np.pi - np.pi * i / (len(occluders.JAW) - 1)
        mesh[index] = middle + np.array([66 * np.cos(angle), 88 * np.sin(angle)])
    for i, index in enumerate(occluders.OVAL_TOP):
        angle = -np.pi * i / (len(occluders.OVAL_TOP) - 1)
        mesh[index] = middle + np.array([66 * np.cos(angle), 80 * np.sin(angle)])
    for x, (outer, inner, upper, lower) in ((130, (33, 133, 159, 145)), (190, (263, 362, 386, 374))):
        mesh[[outer, inner, upper, lower]] = (x - 10, 170), (x + 10, 170), (x, 166), (x, 174)
    for index, x, y in ((6, 160, 172), (197, 160, 182), (195, 160, 190), (5, 160, 200), (4, 160, 210), (13, 160, 238)):
        mesh[index] = x, y
    for index, x, y in ((123, 110, 205), (116, 105, 200), (50, 115, 210), (205, 125, 225), (345, 215, 200)):
        mesh[index] = x, y
    for index, x, y in (
        (352, 210, 205),
        (280, 205, 210),
        (425, 195, 225),
        (14, 160, 242),
        (61, 140, 240),
        (291, 180, 240),
    ):
        mesh[index] = x, y
    return mesh


PLACES = {"sunglasses": (160, 180, 115, 145), "mask": (225, 250, 140, 180), "head_covering": (60, 110, 130, 190)}


@pytest.mark.slow
@pytest.mark.parametrize("what", list(PLACES))
def test_what_the_label_says_is_drawn_where_it_belongs(what: str) -> None:
    mesh, canvas = flat_mesh(), np.full((320, 320, 3), (120, 150, 200), np.uint8)
    top, bottom, left, right = PLACES[what]
    checked = 0
    for seed in range(60):
        drawn, labels = occluders.draw(canvas, mesh, occluders.Labels(clear_glasses=-1), np.random.default_rng(seed))
        if getattr(labels, what) == 1:
            checked += 1
            assert np.abs(drawn.astype(int) - canvas)[top:bottom, left:right].mean() > 8
    assert checked >= 8


def test_nothing_is_drawn_over_what_the_photo_already_has() -> None:
    mesh, canvas = flat_mesh(), np.full((320, 320, 3), (120, 150, 200), np.uint8)
    known = occluders.Labels(sunglasses=1, mask=1, head_covering=1)
    for seed in range(20):
        drawn, labels = occluders.draw(canvas, mesh, known, np.random.default_rng(seed))
        assert labels == known
        assert np.array_equal(drawn, canvas)
