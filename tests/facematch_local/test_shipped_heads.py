"""The heads of the shipped pack do their work on photos that everybody has: drawn covers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.faces import Face
from facematch_local.heads import OcclusionHead, occlusion_crop
from facematch_local.packs import SessionSettings, _open_heads, find_pack

# The astronaut's face as YuNet gives it: the test needs no detector.
ASTRONAUT = Face(
    np.array([178, 65, 269, 176], np.float32),
    np.array([(203, 104), (248, 104), (224, 128), (204, 143), (243, 144)], np.float32),
    0.9,
)


@pytest.fixture(scope="module")
def occlusion() -> OcclusionHead:
    head = _open_heads(find_pack("compact"), SessionSettings()).occlusion
    assert head is not None
    return head


def test_a_bare_face_wears_nothing(occlusion: OcclusionHead, astronaut: NDArray[np.uint8]) -> None:
    scores = occlusion.predict(occlusion_crop(astronaut, ASTRONAUT))
    assert max(scores.sunglasses, scores.mask, scores.head_covering) < 0.5


def test_what_covers_the_face_raises_its_score(occlusion: OcclusionHead, astronaut: NDArray[np.uint8]) -> None:
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
