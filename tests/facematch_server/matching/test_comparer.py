"""From results to replies, without HTTP."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facematch_local.errors import PackError
from facematch_server.matching.comparer import CROP_SIDE, MatcherComparer, crop_jpeg, warm_up


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((100, 80, 3), (80, 100)),
        ((CROP_SIDE, 10, 3), (10, CROP_SIDE)),
        ((4 * CROP_SIDE, 2 * CROP_SIDE, 3), (CROP_SIDE // 2, CROP_SIDE)),
        ((1, 5 * CROP_SIDE, 3), (CROP_SIDE, 1)),
        ((1, 1, 3), (1, 1)),
    ],
)
def test_crops_keep_their_proportions_and_a_size(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(crop_jpeg(np.zeros(shape, np.uint8)))) as image:
        assert (image.format, image.size) == ("JPEG", size)


def test_a_match(matcher: Any, astronaut_jpeg: bytes) -> None:
    compared = MatcherComparer(matcher).compare(astronaut_jpeg, astronaut_jpeg, "card")  # type: ignore[arg-type]
    assert compared.match == "1"
    assert compared.face1 == compared.face2
    assert compared.timings["total"] > 0


def test_warming_up_a_good_pack(matcher: Any) -> None:
    warm_up(matcher)


@pytest.mark.parametrize("features", [np.zeros((1, 1)), np.zeros(5), np.full((1, 128), np.nan)])
def test_warming_up_finds_a_model_that_gives_no_embedding(features: Any) -> None:
    recogniser = SimpleNamespace(input_size=(112, 112), get_feat=lambda _: features)
    analyser = SimpleNamespace(find=lambda _: (), recogniser=recogniser)
    files = {"recognition": SimpleNamespace(path="rec.onnx")}
    broken: Any = SimpleNamespace(pack=SimpleNamespace(analyser=analyser, pack=SimpleNamespace(files=files)))
    with pytest.raises(PackError, match=r"rec\.onnx"):
        warm_up(broken)
