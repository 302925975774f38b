"""The pack `standard` meets its model card on photos from installed packages; skipped if it is not installed."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.faces import cosine
from facematch_local.matcher import FaceMatcher
from facematch_local.packs import LoadedPack, NotInstalledError, find_pack, load_pack

MODELS = Path(__file__).resolve().parents[2] / "models"


@pytest.fixture(scope="module")
def standard() -> LoadedPack:
    try:
        pack = find_pack("standard", [MODELS])
    except NotInstalledError as error:
        pytest.skip(str(error))
    return load_pack(pack)


def test_it_is_open_and_calibrated(standard: LoadedPack) -> None:
    assert standard.pack.commercial_use
    assert standard.calibration.calibrated
    assert standard.calibration.id.startswith("standard-")
    # SFace gives two people lower cosines than compact, so the curve of another pack would show here.
    assert 0.35 < standard.calibration.cosine(65) < standard.calibration.cosine(75) < 0.55
    assert standard.fallback == ()


def test_the_networks_are_installed(standard: LoadedPack) -> None:
    assert standard.analyser.locator is not None
    assert standard.analyser.face_filter is not None
    assert standard.analyser.settings.confirm_below == 0.85
    assert standard.analyser.settings.landmark_looks == 2
    assert None not in (
        standard.networks.occlusion,
        standard.networks.recapture,
        standard.networks.texture,
        standard.networks.document,
        standard.networks.photocopy,
    )


def test_it_distinguishes_and_recognises_six_people(standard: LoadedPack, group_photo: NDArray[np.uint8]) -> None:
    """A recogniser with its input normalised twice would give all of them similar embeddings."""
    analyser, curve = standard.analyser, standard.calibration
    worse = cv2.GaussianBlur(cv2.convertScaleAbs(group_photo, alpha=0.7, beta=10), (3, 3), 0)
    first, second = ([analyser.embed(p, face) for face in analyser.find(p)] for p in (group_photo, worse))
    assert len(first) == len(second) == 6
    by_place = [sorted(faces, key=lambda face: float(face.box[0])) for faces in (first, second)]
    assert min(curve.percent(cosine(one, two)) for one, two in zip(*by_place, strict=True)) > 75
    assert max(curve.percent(cosine(one, two)) for one, two in combinations(first, 2)) < 65


def test_a_complete_match(standard: LoadedPack, astronaut_jpeg: bytes, group_photo_jpeg: bytes) -> None:
    matcher = FaceMatcher(standard)
    same = matcher.match(astronaut_jpeg, astronaut_jpeg, "portrait")
    assert (same.percent, same.warnings) == (100.0, ())
    assert matcher.match(astronaut_jpeg, group_photo_jpeg, "portrait").percent < 65
    assert same.pack == "standard 1.0.0"
