"""Replacement of PRelu: the same numbers, and nodes that must stay."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from insightface.model_zoo import ArcFaceONNX
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array

from facematch_local.errors import PackError
from facematch_local.faces import Face
from facematch_local.packs import ModelPack, find_pack, load_pack, read_pack
from facematch_local.packs.prelu import open_without_prelu, without_prelu

ROOT = Path(__file__).resolve().parents[3]
CHANNELS = 16
ORDINARY = np.linspace(-2.0, 0.95, CHANNELS).reshape(-1, 1, 1)
# 1 and the numbers around it are the special cases: no scale, and the opposite sign.
SPECIAL = np.array([*np.linspace(-1.0, 0.9, CHANNELS - 6), 0.9999, 1.0, 1.0001, 1.1, 2.0, 5.0]).reshape(-1, 1, 1)


def network(
    nodes: Sequence[onnx.NodeProto], slopes: NDArray[np.float64], outputs: Sequence[str] = ("last",)
) -> onnx.ModelProto:
    """A network of these nodes, with an input `photo` (1, 3, 12, 12) and random weights."""
    random = np.random.default_rng(0)
    shapes = {
        "first_w": (CHANNELS, 3, 3, 3),
        "first_b": (CHANNELS,),
        "deep_w": (CHANNELS, 1, 3, 3),
        "grouped_w": (2 * CHANNELS, CHANNELS // 4, 1, 1),
        "dense_w": (CHANNELS, CHANNELS, 3, 3),
        "norm_s": (CHANNELS,),
        "norm_b": (CHANNELS,),
        "norm_m": (CHANNELS,),
    }
    weights = [from_array(random.normal(size=shape).astype(np.float32), name) for name, shape in shapes.items()]
    weights.append(from_array(random.uniform(0.5, 2.0, CHANNELS).astype(np.float32), "norm_v"))
    weights.append(from_array(slopes.astype(np.float32), "slopes"))
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, [1, 3, 12, 12])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in outputs],
        [weight for weight in weights if weight.name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def convolution(source: str, weight: str, output: str, group: int = 1, *bias: str) -> onnx.NodeProto:
    return helper.make_node("Conv", [source, weight, *bias], [output], group=group)


def prelu(source: str, output: str) -> onnx.NodeProto:
    return helper.make_node("PRelu", [source, "slopes"], [output])


FIRST = convolution("photo", "first_w", "x", 1, "first_b")
NORM = helper.make_node("BatchNormalization", ["x", "norm_s", "norm_b", "norm_m", "norm_v"], ["n"])
CHAINS = {
    "convolution": [FIRST, prelu("x", "y"), convolution("y", "dense_w", "last")],
    "normalisation": [FIRST, NORM, prelu("n", "y"), convolution("y", "dense_w", "last")],
    "depthwise": [FIRST, prelu("x", "y"), convolution("y", "deep_w", "last", CHANNELS)],
    "groups": [FIRST, prelu("x", "y"), convolution("y", "grouped_w", "last", 4)],
    "two readers": [
        FIRST,
        prelu("x", "y"),
        convolution("y", "dense_w", "one"),
        convolution("y", "deep_w", "other", CHANNELS),
        helper.make_node("Concat", ["one", "other"], ["last"], axis=1),
    ],
    "one after the other": [
        FIRST,
        prelu("x", "y"),
        convolution("y", "deep_w", "z", CHANNELS),
        prelu("z", "u"),
        convolution("u", "dense_w", "last"),
    ],
}


def outputs_of(model: onnx.ModelProto) -> list[NDArray[np.float32]]:
    photo = np.random.default_rng(1).normal(size=(1, 3, 12, 12)).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a second one would wait in a loop
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"photo": photo})  # type: ignore[no-any-return]


def kinds(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("slopes", [ORDINARY, SPECIAL], ids=["ordinary", "special"])
@pytest.mark.parametrize("nodes", CHAINS.values(), ids=CHAINS)
def test_the_numbers_stay(nodes: list[onnx.NodeProto], slopes: NDArray[np.float64]) -> None:
    model = network(nodes, slopes)
    (before,) = outputs_of(model)
    assert without_prelu(model) == kinds(network(nodes, slopes)).count("PRelu")
    assert "PRelu" not in kinds(model)
    onnx.checker.check_model(model)
    (after,) = outputs_of(model)
    np.testing.assert_allclose(after, before, rtol=2e-5, atol=2e-5 * float(np.abs(before).max()))


def test_at_the_end_of_a_network_slopes_above_one_stay() -> None:
    assert without_prelu(network([FIRST, prelu("x", "last")], SPECIAL)) == 0
    model = network([FIRST, prelu("x", "last")], ORDINARY)
    (before,) = outputs_of(model)
    assert without_prelu(model) == 1
    np.testing.assert_allclose(outputs_of(model)[0], before, rtol=2e-5, atol=1e-4)


STAYING = {
    "tensor with another reader": [FIRST, prelu("x", "y"), helper.make_node("Add", ["x", "y"], ["last"])],
    "weights with another reader": [
        FIRST,
        prelu("x", "y"),
        convolution("photo", "first_w", "z"),
        helper.make_node("Add", ["y", "z"], ["last"]),
    ],
    "no weights before it": [FIRST, helper.make_node("Abs", ["x"], ["z"]), prelu("z", "last")],
}


@pytest.mark.parametrize("nodes", STAYING.values(), ids=STAYING)
def test_nodes_that_must_stay(nodes: list[onnx.NodeProto]) -> None:
    model = network(nodes, ORDINARY)
    unchanged = model.SerializeToString()
    assert without_prelu(model) == 0
    assert model.SerializeToString() == unchanged


def test_a_tensor_that_is_an_output_stays() -> None:
    model = network(CHAINS["convolution"], ORDINARY, outputs=["x", "last"])
    assert without_prelu(model) == 0


def test_one_slope_for_all_channels() -> None:
    model = network(CHAINS["convolution"], np.full((1, 1, 1), 0.25))
    (before,) = outputs_of(model)
    assert without_prelu(model) == 1
    np.testing.assert_allclose(outputs_of(model)[0], before, rtol=2e-5, atol=1e-4)


def test_slopes_by_pixel_stay() -> None:
    assert without_prelu(network(CHAINS["convolution"], np.full((1, 10, 10), 0.25))) == 0


def test_slopes_may_have_the_axis_of_the_batch_too() -> None:
    model = network(CHAINS["convolution"], ORDINARY[None])
    (before,) = outputs_of(model)
    assert without_prelu(model) == 1
    np.testing.assert_allclose(outputs_of(model)[0], before, rtol=2e-5, atol=1e-4)


@pytest.fixture(scope="module", params=[pytest.param("standard", marks=pytest.mark.slow), "buffalo_sc"])
def pack(request: pytest.FixtureRequest) -> ModelPack:
    try:
        if request.param == "standard":
            return find_pack("standard", [ROOT / "models"])
        return read_pack(request.getfixturevalue("shared") / "models" / request.param)
    except PackError as error:
        pytest.skip(str(error))


def test_the_recogniser_of_a_pack_gives_the_same_embedding(
    pack: ModelPack, astronaut: NDArray[np.uint8], astronaut_face: Face
) -> None:
    file = pack.files["recognition"].path
    analyser = load_pack(pack).analyser
    assert "PRelu" in kinds(onnx.load_model(file))
    plain = ArcFaceONNX(str(file), onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"]))
    crop = analyser.align(astronaut, astronaut_face)
    first, second = (each.get_feat([crop])[0].astype(np.float64) for each in (plain, analyser.recogniser))
    np.testing.assert_allclose(second, first, atol=1e-5 * float(np.linalg.norm(first)))


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="replaced on x86-64 only")
def test_a_loaded_pack_computes_without_prelu(pack: ModelPack, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []

    def noted(path: Path, options: onnxruntime.SessionOptions) -> object:
        opened.append(open_without_prelu(path, options))
        return opened[-1]

    monkeypatch.setattr("facematch_local.packs.sessions.open_without_prelu", noted)
    recogniser = load_pack(pack).analyser.recogniser
    assert opened == [recogniser]


@pytest.mark.parametrize(("machine", "rewritten"), [("x86_64", True), ("AMD64", True), ("aarch64", False)])
def test_processors_without_the_blocked_layout_keep_prelu(
    pack: ModelPack, monkeypatch: pytest.MonkeyPatch, machine: str, rewritten: bool
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    recogniser = open_without_prelu(pack.files["recognition"].path, onnxruntime.SessionOptions())
    assert isinstance(recogniser, ArcFaceONNX) is rewritten


def test_a_model_of_another_shape_is_left_to_insightface(tmp_path: Path) -> None:
    path = tmp_path / "rec.onnx"
    path.write_bytes(network(CHAINS["convolution"], ORDINARY).SerializeToString())
    assert open_without_prelu(path, onnxruntime.SessionOptions()) is None
