"""The made faces and the geometry of the recogniser's training, which need no torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from facematch_local.packs import find_pack
from scripts.training.common import augment
from scripts.training.common.geometry import ARCFACE
from scripts.training.recogniser import local_centring, morphs, teacher
from scripts.training.recogniser.data import SIDE


def test_a_blend_takes_regions_of_both_faces() -> None:
    side = SIDE
    bright, stripes = np.full((side, side, 3), 200, np.uint8), np.full((side, side, 3), 200, np.uint8)
    stripes[::4] = 40
    shares = []
    for seed in range(12):
        mixed = morphs.blend(bright, stripes, np.random.default_rng(seed))
        assert mixed.shape == (side, side, 3)
        assert mixed.dtype == np.uint8
        shares.append(float(np.abs(np.diff(mixed.astype(int), axis=0)).mean()))
    # Some keep mostly the first face, some take mostly the other.
    assert min(shares) < 0.5 * max(shares)


def test_the_same_seed_makes_the_same_blend() -> None:
    side = SIDE
    one, two = (np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8) for seed in (1, 2))
    first, again = (morphs.blend(one, two, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_alignment_brings_landmarks_to_the_template() -> None:
    template = ARCFACE.astype(np.float64)
    turn = np.array([[0.8, -0.3], [0.3, 0.8]])
    landmarks = template @ turn.T + (12, -5)
    matrix = augment.alignment(landmarks, None)
    np.testing.assert_allclose(landmarks @ matrix[:, :2].T + matrix[:, 2], template, atol=1e-3)
    uncertain = augment.alignment(landmarks, np.random.default_rng(3))
    moved = landmarks @ uncertain[:, :2].T + uncertain[:, 2]
    assert 0.1 < np.abs(moved - template).max() < 12


def test_augmentation_keeps_the_crop_a_crop() -> None:
    crop = np.random.default_rng(1).integers(0, 256, (112, 112, 3), np.uint8)
    for seed in range(60):
        changed = augment.augment(crop, np.random.default_rng(seed))
        assert changed.shape == crop.shape
        assert changed.dtype == np.uint8


def test_unit_embeddings() -> None:
    found = teacher.unit(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(found, [[0.6, 0.8], [0.0, 0.0]])


def _linear(weights: np.ndarray[Any, Any]) -> onnx.ModelProto:
    """A recogniser of one layer: [N,D] to [N,D]."""
    size = len(weights)
    return onnx.helper.make_model(
        onnx.helper.make_graph(
            [onnx.helper.make_node("MatMul", ["input", "weights"], ["embedding"])],
            "linear",
            [onnx.helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, ["batch", size])],
            [onnx.helper.make_tensor_value_info("embedding", onnx.TensorProto.FLOAT, ["batch", size])],
            [onnx.numpy_helper.from_array(weights.astype(np.float32), "weights")],
        ),
        opset_imports=[onnx.helper.make_opsetid("", 13)],
        ir_version=7,
    )


def test_centring_takes_away_what_neighbours_share() -> None:
    rng = np.random.default_rng(2)
    plain = _linear(rng.normal(size=(16, 16)))
    groups = rng.normal(size=(2, 16)) * 3
    faces = np.concatenate([group + rng.normal(size=(20, 16)) for group in groups]).astype(np.float32)

    def embedded(model: onnx.ModelProto) -> np.ndarray[Any, Any]:
        session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return teacher.unit(session.run(None, {"input": faces})[0])

    before = embedded(plain)
    means, counts = before.reshape(2, 20, 16).mean(axis=1), np.array([20, 20])
    centred = local_centring.with_centring(plain, means, counts)
    after = embedded(centred)
    # Strangers of one group were alike before; what each has of its own is what is left.
    same_group = np.kron(np.eye(2, dtype=bool), ~np.eye(20, dtype=bool))
    assert (before @ before.T)[same_group].mean() > 0.5
    assert abs((after @ after.T)[same_group].mean()) < 0.1
    shares = np.exp(local_centring.BETA * before @ means.T + np.log(counts))
    expected = before - shares / shares.sum(axis=1, keepdims=True) @ means
    np.testing.assert_allclose(after, teacher.unit(expected), atol=2e-3)


def test_centring_comes_off_again_and_never_goes_on_twice() -> None:
    plain = _linear(np.eye(4))
    once = local_centring.with_centring(plain, np.eye(4)[:2], np.array([3, 5]))
    assert local_centring.with_centring(once, np.eye(4)[:2], np.array([3, 5])) == once
    assert local_centring.without(once) == plain


def test_the_shipped_recogniser_is_centred_around_many_faces() -> None:
    model = onnx.load(str(find_pack("compact").files["recognition"].path))
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    prefix = local_centring.PREFIX
    means, counts = stored[prefix + "means_fp16"].astype(np.float32), np.exp(stored[prefix + "log_counts"])
    assert means.shape == (len(counts), 256)
    assert counts.min() > 100  # no mean is one person's
    assert np.linalg.norm(means, axis=1).max() < 0.9
