"""The crops that the face filter is taught on are those it will see."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facematch_local.networks.face_filter import face_filter_crop
from scripts.training.face_filter import crops


@pytest.mark.parametrize("box", [(100, 60, 190, 180), (-20, -30, 60, 70), (150, 100, 178, 132)])
def test_the_stored_crop_holds_what_the_head_sees(box: tuple[int, ...]) -> None:
    photo = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (240, 320, 3), np.uint8), (0, 0), 6)
    photo = cv2.normalize(photo, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    where = np.array(box, np.float32)
    taught = crops.seen(crops.stored_crop(photo, where)).astype(int)
    used = face_filter_crop(photo, where).astype(int)
    assert np.abs(taught - used).mean() < 3 < used.std() / 4
