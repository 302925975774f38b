"""Convolutions in 8 bits: nearly the same numbers, and only where weights and ranges allow it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array

from facematch_local import cpu, synthetic
from facematch_local.errors import PackError
from facematch_local.faces import Face
from facematch_local.networks.texture import TextureNetwork, texture_tiles
from facematch_local.packs import sessions
from facematch_local.packs.eight_bit import RANGES_KEY, eight_bit_model, in_eight_bits
from facematch_local.packs.sessions import SessionSettings, open_session

ROOT = Path(__file__).resolve().parents[3]
TEXTURE = ROOT / "models" / "compact" / "networks" / "texture.onnx"
CHANNELS = 16
RANGES = {"light": (-1.0, 1.0), "first_out": (0.0, 12.0), "second": (-30.0, 30.0), "out": (0.0, 40.0)}


def network(ranges: Mapping[str, tuple[float, float]] | None, kept_as: type = np.int8) -> onnx.ModelProto:
    """Two convolutions, the second one added to its input, with weights of whole numbers and a step."""
    random = np.random.default_rng(0)
    weights, nodes = [], []
    for name, inputs in (("first", 3), ("second", CHANNELS)):
        whole = random.integers(-127, 128, (CHANNELS, inputs, 3, 3)).astype(kept_as)
        weights += [
            from_array(whole, f"{name}_whole"),
            from_array(random.uniform(1e-3, 4e-3, (CHANNELS, 1, 1, 1)).astype(np.float32), f"{name}_step"),
            from_array(random.normal(0, 0.2, CHANNELS).astype(np.float32), f"{name}_b"),
        ]
        nodes += [
            helper.make_node("Cast", [f"{name}_whole"], [f"{name}_float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}_float", f"{name}_step"], [f"{name}_w"]),
        ]
    nodes += [
        helper.make_node("Neg", ["photo"], ["light"]),
        helper.make_node("Conv", ["light", "first_w", "first_b"], ["first"], kernel_shape=[3, 3], pads=[1] * 4),
        helper.make_node("Relu", ["first"], ["first_out"]),
        helper.make_node("Conv", ["first_out", "second_w", "second_b"], ["second"], kernel_shape=[3, 3], pads=[1] * 4),
        helper.make_node("Add", ["first_out", "second"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["out"]),
        helper.make_node("ReduceMean", ["out"], ["mean"], axes=[2, 3], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, [1, 3, 20, 20])],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [1, CHANNELS])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if ranges is not None:
        helper.set_model_props(model, {RANGES_KEY: json.dumps(ranges)})
    onnx.checker.check_model(model)
    return model


def answer(model: onnx.ModelProto) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    photo = np.random.default_rng(1).uniform(-1, 1, (1, 3, 20, 20)).astype(np.float32)
    (mean,) = session.run(["mean"], {"photo": photo})
    return np.asarray(mean)


def kinds(model: onnx.ModelProto, folder: Path) -> list[str]:
    """The operators that ONNX Runtime executes."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [node.op_type for node in onnx.load(str(folder / "optimised.onnx")).graph.node]


def test_both_convolutions_and_their_sum_are_computed_in_8_bits(tmp_path: Path) -> None:
    plain, rewritten = network(None), network(RANGES)
    assert in_eight_bits(rewritten) == 2
    onnx.checker.check_model(rewritten)
    done = kinds(rewritten, tmp_path)
    assert done.count("QLinearConv") == 2
    assert "Conv" not in done
    assert "QLinearAdd" in done
    expected = answer(plain)
    assert answer(rewritten) == pytest.approx(expected, abs=0.02 * float(expected.max()))
    assert not (answer(rewritten) == expected).all()


@pytest.mark.parametrize(("missing", "rewritten"), [("light", 1), ("first_out", 0), ("second", 1), ("out", 2)])
def test_a_convolution_without_a_range_stays(missing: str, rewritten: int, tmp_path: Path) -> None:
    model = network({name: limits for name, limits in RANGES.items() if name != missing})
    assert in_eight_bits(model) == rewritten
    expected = answer(network(None))
    assert answer(model) == pytest.approx(expected, abs=0.03 * float(expected.max()))
    assert kinds(model, tmp_path).count("QLinearConv") == rewritten


def test_values_beyond_the_range_are_cut_to_it() -> None:
    model = network({**RANGES, "out": (0.0, 0.5)})
    in_eight_bits(model)
    assert float(answer(model).max()) <= 0.5 + 1e-6


def test_a_convolution_of_an_input_of_the_network_stays() -> None:
    model = network({**RANGES, "photo": (-1.0, 1.0)})
    for node in model.graph.node:
        node.input[:] = ["photo" if name == "light" else name for name in node.input]
    assert in_eight_bits(model) == 1


def test_weights_that_are_not_kept_as_int8_stay() -> None:
    assert in_eight_bits(network(RANGES, kept_as=np.int32)) == 0


def test_a_file_without_ranges_is_opened_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    path.write_bytes(network(None).SerializeToString())
    assert eight_bit_model(path) is None
    path.write_bytes(network({}).SerializeToString())
    assert eight_bit_model(path) is None


@pytest.mark.parametrize("ranges", ["[", "[1]", '{"light": 3}', '{"light": ["a", "b"]}'])
def test_unreadable_ranges_are_an_error_of_the_pack(
    ranges: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network(None)
    helper.set_model_props(model, {RANGES_KEY: ranges})
    path = tmp_path / "network.onnx"
    path.write_bytes(model.SerializeToString())
    monkeypatch.setattr(sessions, "multiplies_bytes", lambda: True)
    with pytest.raises(PackError, match="cannot open"):
        open_session(path, SessionSettings())
    # A processor without such instructions does not read them.
    monkeypatch.setattr(sessions, "multiplies_bytes", lambda: False)
    open_session(path, SessionSettings())


@pytest.mark.skipif(not cpu.multiplies_bytes(), reason="this processor has no products of bytes")
def test_the_texture_network_answers_as_in_single_precision(
    astronaut: NDArray[np.uint8], astronaut_face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = TextureNetwork(open_session(TEXTURE, SessionSettings()))
    monkeypatch.setattr(sessions, "multiplies_bytes", lambda: False)
    plain = TextureNetwork(open_session(TEXTURE, SessionSettings()))
    rng = np.random.default_rng(2)
    moves = []
    for photo in (astronaut, synthetic.screen_recapture(astronaut, rng), synthetic.print_recapture(astronaut, rng)):
        tiles = texture_tiles(photo, astronaut_face.box)
        assert tiles is not None
        moves.append(abs(fast.predict(tiles) - plain.predict(tiles)))
    assert 0 < max(moves) < 0.02
