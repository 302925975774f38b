"""A result and its serialised form."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facematch_local.result import (
    CROP_SIDE,
    DetailedFace,
    DetailedFinding,
    DetailedPhoto,
    DetailedResult,
    DetailedWarning,
    crop_jpeg,
    describe,
)

PAGE = Path(__file__).parents[2] / "docs" / "detailed-reply.md"


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


def test_a_photo_without_a_face_has_no_crop(matcher: Any, astronaut_jpeg: bytes) -> None:
    result = matcher.match(np.full((200, 300, 3), 90, np.uint8), astronaut_jpeg, "portrait")
    blank, portrait = result.images
    assert blank.crop_jpeg() == blank.aligned_jpeg() == b""
    with Image.open(io.BytesIO(portrait.aligned_jpeg())) as image:
        assert image.size == (112, 112)
    described = describe(result)
    assert (described.cosine, described.match, described.verdict) == (None, -1, "no_match")
    assert described.images[0].faces == []


def test_every_value_of_a_result_is_there(matcher: Any, astronaut_jpeg: bytes) -> None:
    result = matcher.match(astronaut_jpeg, astronaut_jpeg, "portrait")
    data = json.loads(describe(result).model_dump_json())
    assert (data["percent"], data["match"], data["verdict"]) == (result.percent, 1, "match")
    assert data["cosine"] == pytest.approx(result.cosine)
    assert (data["pack"], data["policy"]) == (result.pack, result.policy)
    assert (data["calibration"], data["calibrated"]) == (result.calibration, result.calibrated)
    assert [warning["code"] for warning in data["warnings"]] == [int(code) for code in result.warnings]
    assert data["timings"] == {stage: round(seconds, 6) for stage, seconds in result.timings.items()}
    for printed, finding in zip(data["findings"], result.findings, strict=True):
        assert printed == {
            "image": finding.image,
            "name": finding.name,
            "value": finding.measure.value,
            "unit": finding.measure.unit,
            "reason": finding.measure.reason,
            "code": int(finding.limit.code),
            "minimum": finding.limit.minimum,
            "maximum": finding.limit.maximum,
            "outcome": finding.outcome.value,
        }
    [face] = data["images"][1]["faces"]
    assert face["box"] == pytest.approx(result.images[1].face.box.tolist())
    assert np.shape(face["landmarks"]) == (5, 2)
    assert "embedding" not in face


def test_a_number_that_is_none_is_null() -> None:
    finding = DetailedFinding(
        image=1, name="x", value=float("nan"), unit="1", reason="", code=1, minimum=None, maximum=1.0, outcome="passed"
    )
    assert json.loads(finding.model_dump_json())["value"] is None


@pytest.mark.parametrize("model", [DetailedResult, DetailedWarning, DetailedFinding, DetailedPhoto, DetailedFace])
def test_the_page_documents_every_field(model: type[Any]) -> None:
    """The table under the heading with the model's name has a line for each field and no other line."""
    assert documented_fields(model.__name__) == list(model.model_fields)


def documented_fields(model: str) -> list[str]:
    section = PAGE.read_text("utf-8").partition(f"`{model}`")[2].partition("\n## ")[0]
    return [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
