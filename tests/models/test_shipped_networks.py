"""The networks of the shipped pack, tested with a photo from an installed package and drawn coverings."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local import synthetic
from facematch_local.checks import Role
from facematch_local.checks.logits import logit as logit_of
from facematch_local.checks.recapture import LEAST_VIEW, OFFSET
from facematch_local.faces import Face, LandmarkLocator
from facematch_local.matcher import FaceMatcher
from facematch_local.networks.occlusion import OcclusionNetwork, occlusion_crop
from facematch_local.networks.texture import TextureNetwork
from facematch_local.packs import SessionSettings, find_pack, load_pack, open_networks
from facematch_local.policy import Outcome, load_policy

# The astronaut's face as YuNet finds it, so that the test does not need a detector.
ASTRONAUT = Face(
    np.array([178, 65, 269, 176], np.float32),
    np.array([(203, 104), (248, 104), (224, 128), (204, 143), (243, 144)], np.float32),
    0.9,
)
# Beyond this logit the texture raises a warning whatever the view: the policy's limit of 0.6 less what the view gives.
TEXTURE_LIMIT = logit_of(0.6) - OFFSET - LEAST_VIEW


@pytest.fixture(scope="module")
def occlusion() -> OcclusionNetwork:
    network = open_networks(find_pack("compact"), SessionSettings()).occlusion
    assert network is not None
    return network


def test_a_bare_face_has_no_covering(occlusion: OcclusionNetwork, astronaut: NDArray[np.uint8]) -> None:
    scores = occlusion.predict(occlusion_crop(astronaut, ASTRONAUT))
    limits = load_policy().limits[Role.PORTRAIT]
    for name, score in (
        ("sunglasses", scores.sunglasses),
        ("mask", scores.mask),
        ("head_covering", scores.head_covering),
    ):
        assert limits[name].holds(score), name


def test_a_covering_raises_its_score(occlusion: OcclusionNetwork, astronaut: NDArray[np.uint8]) -> None:
    before = occlusion.predict(occlusion_crop(astronaut, ASTRONAUT))
    masked = astronaut.copy()
    jaw = np.array([(184, 120), (224, 114), (264, 120), (260, 152), (240, 176), (208, 176), (188, 152)])
    cv2.fillPoly(masked, [jaw], (205, 190, 140), cv2.LINE_AA)
    assert occlusion.predict(occlusion_crop(masked, ASTRONAUT)).mask > max(0.5, before.mask)
    shaded = astronaut.copy()
    for eye in ((203, 106), (248, 106)):
        cv2.ellipse(shaded, eye, (18, 14), 0, 0, 360, (18, 16, 16), -1, cv2.LINE_AA)
    cv2.line(shaded, (203, 101), (248, 101), (18, 16, 16), 3, cv2.LINE_AA)
    assert occlusion.predict(occlusion_crop(shaded, ASTRONAUT)).sunglasses > max(0.5, before.sunglasses)


@pytest.fixture(scope="module")
def locator() -> LandmarkLocator:
    found = load_pack(find_pack("compact")).analyser.locator
    assert found is not None
    return found


def landmark_error(points: NDArray[np.float32]) -> float:
    """Mean distance from the astronaut's landmarks over the distance between the eyes (NME)."""
    distances = np.linalg.norm(points - ASTRONAUT.landmarks, axis=1)
    return float(distances.mean() / np.linalg.norm(ASTRONAUT.landmarks[1] - ASTRONAUT.landmarks[0]))


@pytest.mark.parametrize("seed", range(6))
def test_wrong_landmarks_are_corrected(locator: LandmarkLocator, astronaut: NDArray[np.uint8], seed: int) -> None:
    rng = np.random.default_rng(seed)
    wrong = (ASTRONAUT.landmarks + rng.normal(0, 6, (5, 2))).astype(np.float32)
    right = locator.locate(astronaut, wrong, ASTRONAUT.box)
    assert landmark_error(right) < min(0.08, 0.8 * landmark_error(wrong))


def test_a_turned_and_larger_face_gets_the_same_landmarks(
    locator: LandmarkLocator, astronaut: NDArray[np.uint8]
) -> None:
    upright = locator.locate(astronaut, ASTRONAUT.landmarks, ASTRONAUT.box)
    matrix = cv2.getRotationMatrix2D((224, 120), 140, 2.0)
    turned = cv2.warpAffine(astronaut, matrix, (512, 512))
    points = (ASTRONAUT.landmarks @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    found = locator.locate(turned.astype(np.uint8), points, ASTRONAUT.box)
    back = (found - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    assert np.linalg.norm(back - upright, axis=1).max() < 0.05 * 45


def test_the_face_filter_distinguishes_faces_from_other_objects(astronaut: NDArray[np.uint8]) -> None:
    face_filter = load_pack(find_pack("compact")).analyser.face_filter
    assert face_filter is not None
    assert face_filter.confirm(astronaut, ASTRONAUT.box, 0.4) > 0.9
    elsewhere = [(20, 300, 120, 420), (300, 20, 420, 160), (150, 350, 260, 480)]  # flag, shuttle, suit
    assert max(face_filter.confirm(astronaut, np.float32(box), 0.4) for box in elsewhere) < 0.2


@pytest.fixture(scope="module")
def texture() -> TextureNetwork:
    network = open_networks(find_pack("compact"), SessionSettings()).texture
    assert network is not None
    return network


@pytest.mark.slow
def test_the_texture_of_prints_and_screens_differs_from_that_of_a_photo_and_its_enlargement(
    texture: TextureNetwork, astronaut: NDArray[np.uint8]
) -> None:
    def live(pixels: NDArray[np.uint8]) -> bool:
        logit = texture.predict(pixels, box)
        assert logit is not None
        return logit <= TEXTURE_LIMIT

    large = synthetic.fitted_to(astronaut[:260, 95:355], 700)
    box = (ASTRONAUT.box - np.float32([95, 0, 95, 0])) * np.float32(700 / 260)
    assert live(large)
    prints, screens = (
        [not live(make(large, np.random.default_rng(seed))) for seed in range(10)]
        for make in (synthetic.print_recapture, synthetic.screen_recapture)
    )
    assert sum(prints) >= 9
    assert sum(screens) >= 4  # the others show no pixels
    box = ASTRONAUT.box
    assert live(astronaut)


def test_the_texture_of_a_print_differs_from_that_of_a_photo(
    texture: TextureNetwork, astronaut: NDArray[np.uint8]
) -> None:
    print_ = synthetic.print_recapture(astronaut, np.random.default_rng(0))
    for pixels, live in ((astronaut, True), (print_, False)):
        logit = texture.predict(pixels, ASTRONAUT.box)
        assert logit is not None
        assert (logit <= TEXTURE_LIMIT) == live


@pytest.mark.slow
def test_the_real_recaptures_among_the_development_photos_are_found_and_the_live_photo_is_not(shared: Path) -> None:
    """Three photos: a smoke test, no measurement."""
    folder = shared / "data" / "spoof"
    if not folder.is_dir():
        pytest.skip("needs the development data of ../shared")
    matcher = FaceMatcher(load_pack(find_pack("standard")))
    warned = []
    for path in sorted(folder.iterdir()):
        _, findings = matcher.examine(path.read_bytes(), Role.PORTRAIT)
        warned.append(any(f.name == "recapture" and f.outcome is Outcome.WARNING for f in findings))
    assert warned == [True, True, False]
