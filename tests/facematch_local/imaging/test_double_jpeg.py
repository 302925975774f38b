"""The JPEG compressions that a picture of a document shows."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facematch_local.faces import Face
from facematch_local.imaging.dct_blocks import BLOCK, coefficients, corners_of, luminance, unclipped
from facematch_local.imaging.double_jpeg import Evidence, evidence_of_blocks, find_recompression, last_steps
from facematch_local.imaging.jpeg_tables import QUALITIES, quantisation_steps

HEIGHT, WIDTH = 400, 640
CORNERS = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32)
FACE = Face(np.array([48, 96, 208, 256], np.float32), np.zeros((5, 2), np.float32), 0.9)


@pytest.fixture(scope="module")
def scene() -> NDArray[np.uint8]:
    rng = np.random.default_rng(1)
    soft = cv2.GaussianBlur(rng.normal(0, 1, (HEIGHT, WIDTH, 3)), (0, 0), 3)
    return np.clip(130 + 20 * soft / soft.std() + rng.normal(0, 4, soft.shape), 0, 255).astype(np.uint8)


def _encoded(pixels: NDArray[np.uint8], quality: int) -> bytes:
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())


def _jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(_encoded(pixels, quality), np.uint8), cv2.IMREAD_COLOR), np.uint8)


@pytest.mark.parametrize("quality", [60, 75, 85, 92])
def test_the_last_steps_equal_those_of_the_file(scene: NDArray[np.uint8], quality: int) -> None:
    table = Image.open(io.BytesIO(_encoded(scene, quality))).quantization[0]  # type: ignore[attr-defined]
    light = luminance(_jpeg(scene, quality))
    region = coefficients(light, corners_of(np.ones((HEIGHT // BLOCK, WIDTH // BLOCK), bool), light.shape))
    found = last_steps(region.on_grid, region.on_grid)[0]
    np.testing.assert_array_equal(found, quantisation_steps()[QUALITIES.index(quality)])
    assert set(found) <= set(map(float, table))


@pytest.mark.parametrize(("before", "after"), [(70, 90), (70, 95), (85, 80), (92, 78)])
def test_the_steps_of_both_compressions_are_found(scene: NDArray[np.uint8], before: int, after: int) -> None:
    seen = find_recompression(_jpeg(_jpeg(scene, before), after), CORNERS, FACE.box)
    assert seen is not None
    np.testing.assert_array_equal(seen.last, quantisation_steps()[QUALITIES.index(after)])
    np.testing.assert_array_equal(seen.earlier, quantisation_steps()[QUALITIES.index(before)])


@pytest.mark.parametrize("quality", [None, 60, 75])
def test_a_picture_compressed_once_shows_no_earlier_compression(scene: NDArray[np.uint8], quality: int | None) -> None:
    seen = find_recompression(scene if quality is None else _jpeg(scene, quality), CORNERS, FACE.box)
    assert seen is not None
    assert seen.earlier is None


def test_confidence_requires_enough_evidence() -> None:
    once = Evidence(np.array([-30.0, -0.3, 30.0]), np.array([30.0, 0.3, 30.0]), np.array([-30.0, -0.3, -30.0]))
    np.testing.assert_allclose(once.surely_once(10.0), [60 / 70, 0.6 / 10.6, 0.0])
    nothing = Evidence(np.zeros(1), np.zeros(1), np.zeros(1))
    np.testing.assert_allclose(nothing.surely_once(10.0), 0, atol=1e-6)


def test_a_large_face_leaves_enough_card_to_compare() -> None:
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((1200, 1900, 3), np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3)
    large = np.clip(130 + 20 * soft / soft.std() + 4 * noise[::-1], 0, 255).astype(np.uint8)
    corners = np.array([(0, 0), (1900, 0), (1900, 1200), (0, 1200)], np.float32)
    face = Face(np.array([700, 300, 1200, 900], np.float32), np.zeros((5, 2), np.float32), 0.9)
    assert find_recompression(large, corners, face.box) is not None


def test_blocks_outside_the_document_do_not_count(scene: NDArray[np.uint8]) -> None:
    corners = np.array([(0, 0), (400, 0), (400, HEIGHT), (0, HEIGHT)], np.float32)
    seen = find_recompression(_jpeg(_jpeg(scene, 75), 92), corners, FACE.box)
    assert seen is not None
    assert seen.earlier is not None
    evidence = evidence_of_blocks(seen, seen.earlier)
    assert evidence.found.shape == seen.outer.shape
    assert not evidence.found[~seen.outer].any()
    assert evidence.found[seen.outer].sum() > 0


@pytest.mark.parametrize("colour", [0, 255])
@pytest.mark.parametrize("edge", ["bottom", "right", "both"])
def test_blocks_only_in_the_last_row_or_column_are_too_few(scene: NDArray[np.uint8], colour: int, edge: str) -> None:
    saved = _jpeg(_jpeg(scene, 75), 92)
    clipped = np.full_like(saved, colour)
    clipped[96:256, 48:208] = saved[96:256, 48:208]  # the face
    if edge != "right":
        clipped[-BLOCK:] = saved[-BLOCK:]
    if edge != "bottom":
        clipped[:, -BLOCK:] = saved[:, -BLOCK:]
    assert find_recompression(saved, CORNERS, FACE.box) is not None
    assert find_recompression(clipped, CORNERS, FACE.box) is None
    # With one more row or column of blocks, the second to last can be moved off the grid.
    more = clipped.copy()
    more[-3 * BLOCK :], more[:, -3 * BLOCK :] = saved[-3 * BLOCK :], saved[:, -3 * BLOCK :]
    assert find_recompression(more, CORNERS, FACE.box) is not None


def test_a_portrait_in_the_last_row_of_blocks_is_too_small_to_compare(scene: NDArray[np.uint8]) -> None:
    low = Face(np.array([48, HEIGHT - 8, 48 + 30 * BLOCK, HEIGHT + 160], np.float32), np.zeros((5, 2), np.float32), 0.9)
    assert find_recompression(scene, CORNERS, low.box) is None


def test_an_empty_region_has_no_coefficients() -> None:
    nothing = coefficients(np.zeros((40, 40), np.float32), corners_of(np.zeros((5, 5), bool), (40, 40)))
    assert not nothing.on_grid.any()
    assert not nothing.off_grid.any()
    assert nothing.on_grid.shape == nothing.off_grid.shape
    last = np.zeros((5, 5), bool)
    last[-1] = last[:, -1] = True
    at_the_edge = coefficients(
        np.random.default_rng(1).normal(99, 9, (40, 40)).astype(np.float32), corners_of(last, (40, 40))
    )
    assert at_the_edge.on_grid[:, -1].all()
    assert not at_the_edge.off_grid.any()


def test_blocks_with_one_clipped_value_do_not_count() -> None:
    picture = np.full((40, 51, 3), 128, np.uint8)
    picture[3, 9, 1], picture[23, 31, 2], picture[39, 50, 0] = 0, 255, 0  # the last one lies in no whole block
    picture[8:16, :8], picture[8:16, 16:24] = 1, 254
    expected = np.ones((5, 6), bool)
    expected[0, 1] = expected[2, 3] = False
    assert (unclipped(picture[:, :], 5, 6) == expected).all()
    assert (unclipped(np.ascontiguousarray(picture[:, ::-1])[:, ::-1], 5, 6) == expected).all()


def test_luminance_of_a_tall_part_is_that_of_its_pixels() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (101, 70, 3)).astype(np.uint8)
    expected = picture[:, 8:60].astype(np.float64) @ [0.114, 0.587, 0.299]
    assert luminance(picture[:, 8:60]) == pytest.approx(expected, abs=1e-4)
