"""The shipped recogniser, opened with insightface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

PACK = Path(__file__).parents[2] / "models" / "compact"
WEIGHTS = PACK / "rec.onnx"


@pytest.fixture(scope="module")
def recogniser() -> Any:
    from insightface.model_zoo import get_model

    return get_model(str(WEIGHTS), providers=["CPUExecutionProvider"])


def faces(count: int) -> list[Any]:
    """Smooth random pictures; the network must accept pictures that are not faces."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return [np.kron(picture, np.ones((14, 14, 1), np.uint8)) for picture in coarse]


def test_insightface_opens_it_as_arcface_with_centred_input(recogniser: Any) -> None:
    assert recogniser.taskname == "recognition"
    assert (recogniser.input_mean, recogniser.input_std) == (127.5, 127.5)
    assert tuple(recogniser.input_size) == (112, 112)


def test_a_batch_gives_the_same_embeddings_as_single_crops(recogniser: Any) -> None:
    crops = faces(3)
    together = recogniser.get_feat(crops)
    assert together.shape == (3, 256)
    alone = np.concatenate([recogniser.get_feat(crop) for crop in crops])
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-3)


def test_embeddings_of_different_pictures_differ(recogniser: Any) -> None:
    found = recogniser.get_feat(faces(4))
    assert np.isfinite(found).all()
    unit = found / np.linalg.norm(found, axis=1, keepdims=True)
    likeness = unit @ unit.T
    assert likeness[~np.eye(4, dtype=bool)].max() < 0.95


def test_weights_are_stored_as_fp16() -> None:
    tensors = onnx.load(str(WEIGHTS)).graph.initializer
    values = dict.fromkeys((onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16), 0)
    for tensor in tensors:
        if tensor.data_type in values:
            values[tensor.data_type] += int(np.prod(tensor.dims))
    assert values[onnx.TensorProto.FLOAT16] > 50 * values[onnx.TensorProto.FLOAT]
    assert WEIGHTS.stat().st_size < 5_000_000
