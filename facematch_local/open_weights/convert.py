"""Conversion of OpenCV Zoo's files to files that `insightface.model_zoo` reads.

Both files contain block-quantised int8 weights, which DequantizeLinear nodes convert to float32 at every start. This
module converts them once, to the same numbers. Apart from that the recogniser keeps its graph, and the detector's graph
gets the inputs and outputs of an SCRFD.

The result has the same bytes on every machine: each float is one product of two float32 numbers, and the model is
rebuilt from its parts in a fixed order, without the name of a tool.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto

_IR_VERSION: Final = 8
_OPSET: Final = 17
"""ONNX Runtime 1.20 and later and OpenCV 4.10 and 5 read float Conv, PRelu and the other operators of this version."""

_STRIDES: Final = (8, 16, 32)


def recogniser(shipped: bytes) -> bytes:
    """Convert the SFace recogniser for `insightface.model_zoo.arcface_onnx.ArcFaceONNX`.

    The network itself subtracts 127.5 and divides by 128. `ArcFaceONNX` omits its own normalisation if names of nodes
    among the first eight of the graph start with "Sub" and "Mul". In the original file the nodes that widen the weights
    come first, so the input would be normalised twice. The conversion also removes the weights from the graph's inputs:
    OpenCV 5 refuses a file with weights there, and insightface would mistake one for the photo.

    Args:
        shipped: content of `face_recognition_sface_2021dec_int8bq.onnx`.

    Returns:
        An ONNX file: input `data` (N, 3, 112, 112) float32, RGB, 0 to 255; output `fc1` (N, 128) float32.

    Raises:
        ValueError: the content is not the expected file.
    """
    from onnx import load_from_string
    from onnx.helper import make_tensor_value_info

    graph = load_from_string(shipped).graph
    weights, nodes = _widened(graph)
    nodes = _without_dropout(nodes)
    _require(nodes[0].op_type == "Sub" and nodes[1].op_type == "Mul", "it does not normalise its input first")
    nodes[0].name, nodes[1].name = "Sub_mean", "Mul_scale"
    data = make_tensor_value_info("data", 1, ["N", 3, 112, 112])
    embedding = make_tensor_value_info("fc1", 1, ["N", 128])
    return _written("sface", nodes, weights, [data], [embedding])


def detector(shipped: bytes) -> bytes:
    """Convert the YuNet detector for `insightface.model_zoo.scrfd.SCRFD`.

    - The input is that of SCRFD, RGB as (value - 127.5) / 128. The graph scales it back to 0..255, and the weights of
      the first convolution are reordered for RGB. Sides must be multiples of 32.
    - A score is the square root of class times objectness, as in OpenCV's `FaceDetectorYN`.
    - YuNet encodes a box as its centre and the logarithm of its size, SCRFD as the distances of its edges from the
      anchor; both in strides.
    - SCRFD has two anchors per position, YuNet one: the second anchor has a score of 0.

    Args:
        shipped: content of `face_detection_yunet_2023mar_int8bq.onnx`.

    Returns:
        An ONNX file: input `input` (1, 3, H, W) float32; outputs `score_8`, `score_16`, `score_32`, then `bbox_*`, then
        `kps_*`, (H/stride * W/stride * 2, 1 or 4 or 10) float32.

    Raises:
        ValueError: the content is not the expected file.
    """
    from onnx import load_from_string
    from onnx.helper import make_node, make_tensor_value_info
    from onnx.numpy_helper import from_array, to_array

    graph = load_from_string(shipped).graph
    weights, nodes = _widened(graph)
    first = next(node for node in nodes if node.op_type == "Conv")
    _require(first.input[0] == "input", "its first convolution does not read the input")
    at = next(i for i, weight in enumerate(weights) if weight.name == first.input[1])
    weights[at] = from_array(np.ascontiguousarray(to_array(weights[at])[:, ::-1]), weights[at].name)
    first.input[0] = "bgr"
    before = [
        make_node("Mul", ["input", "input_scale"], ["scaled"], name="Mul_input"),
        make_node("Add", ["scaled", "input_mean"], ["bgr"], name="Add_input"),
    ]
    weights += [
        from_array(np.array(value, dtype), name)
        for name, value, dtype in (
            ("input_scale", 128.0, np.float32),
            ("input_mean", 127.5, np.float32),
            ("half", 0.5, np.float32),
            ("zero", 0.0, np.float32),
            ("score_shape", [-1, 1], np.int64),
            ("bbox_shape", [-1, 4], np.int64),
            ("kps_shape", [-1, 10], np.int64),
        )
    ]
    after: list[NodeProto] = []
    for stride in _STRIDES:
        after += _as_scrfd(stride)
    outputs = [
        make_tensor_value_info(f"{kind}_{stride}", 1, [f"anchors_{stride}", width])
        for kind, width in (("score", 1), ("bbox", 4), ("kps", 10))
        for stride in _STRIDES
    ]
    renamed = {f"{kind}_{stride}": f"yunet_{kind}_{stride}" for kind in ("bbox", "kps") for stride in _STRIDES}
    for node in nodes:
        for field in (node.input, node.output):
            field[:] = [renamed.get(name, name) for name in field]
    data = make_tensor_value_info("input", 1, [1, 3, "height", "width"])
    return _written("yunet", [*before, *nodes, *after], weights, [data], outputs)


def _as_scrfd(stride: int) -> list[NodeProto]:
    """The nodes that convert YuNet's outputs of one stride to those of SCRFD."""
    from onnx.helper import make_node

    def named(name: str) -> str:
        return f"{name}_{stride}"

    def node(kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> NodeProto:
        return make_node(kind, inputs, outputs, name=f"{kind}_{outputs[0]}", **attributes)

    centre, size, reach = named("centre"), named("size"), named("reach")
    score, box, points = named("yunet_score"), named("distances"), named("yunet_kps")
    doubled = [
        node(
            "Concat", [name, f"{name}_zero" if name == score else name], [f"{name}_doubled"], axis=2
        )  # (1, positions, 2 * width): both anchors of a position side by side
        for name in (score, box, points)
    ]
    return [
        node("Mul", [named("cls"), named("obj")], [named("product")]),
        node("Sqrt", [named("product")], [score]),
        node("Mul", [score, "zero"], [f"{score}_zero"]),
        node("Split", [named("yunet_bbox")], [centre, named("log_size")], axis=2),
        node("Exp", [named("log_size")], [size]),
        node("Mul", [size, "half"], [reach]),
        node("Sub", [reach, centre], [named("before")]),
        node("Add", [reach, centre], [named("behind")]),
        node("Concat", [named("before"), named("behind")], [box], axis=2),
        *doubled,
        node("Reshape", [f"{score}_doubled", "score_shape"], [named("score")]),
        node("Reshape", [f"{box}_doubled", "bbox_shape"], [named("bbox")]),
        node("Reshape", [f"{points}_doubled", "kps_shape"], [named("kps")]),
    ]


def _widened(graph: GraphProto) -> tuple[list[TensorProto], list[NodeProto]]:
    """Weights as float32, sorted by name, and the nodes without those that widened and reshaped the weights."""
    from onnx.numpy_helper import from_array, to_array

    values = {weight.name: to_array(weight) for weight in graph.initializer}
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.op_type == "DequantizeLinear":
            values[node.output[0]] = _dequantised(node, *(values[name] for name in node.input))
        elif node.op_type == "Reshape" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]].reshape(values[node.input[1]])
        else:
            nodes.append(node)
    used = sorted({name for node in nodes for name in node.input if name in values})
    return [from_array(np.ascontiguousarray(values[name]), name) for name in used], nodes


def _dequantised(
    node: NodeProto, quantised: NDArray[Any], scales: NDArray[Any], zeros: NDArray[Any]
) -> NDArray[np.float32]:
    """Apply ONNX's DequantizeLinear: (q - zero point) * scale, with one scale per block along one axis."""
    from onnx.helper import get_attribute_value

    attributes = {attribute.name: get_attribute_value(attribute) for attribute in node.attribute}
    axis, block = int(attributes.get("axis", 1)), int(attributes.get("block_size", 0))
    _require(block > 0 and scales.ndim == quantised.ndim, "its weights are not quantised in blocks")
    scales, zeros = (
        np.repeat(each, block, axis=axis).take(range(quantised.shape[axis]), axis=axis) for each in (scales, zeros)
    )
    whole = quantised.astype(np.int32) - zeros.astype(np.int32)
    return whole.astype(np.float32) * scales.astype(np.float32)


def _without_dropout(nodes: Iterable[NodeProto]) -> list[NodeProto]:
    """The nodes without Dropout, which does nothing at inference, and without its constant ratio."""
    kept, renamed = [], dict[str, str]()
    for node in nodes:
        if node.op_type == "Dropout":
            renamed[node.output[0]] = node.input[0]
        elif node.op_type != "Constant":
            node.input[:] = [renamed.get(name, name) for name in node.input]
            kept.append(node)
    return kept


def _written(
    name: str, nodes: Sequence[NodeProto], weights: Sequence[TensorProto], inputs: Sequence[Any], outputs: Sequence[Any]
) -> bytes:
    from onnx.helper import make_graph, make_model, make_opsetid

    graph = make_graph(list(nodes), name, list(inputs), list(outputs), list(weights))
    model: ModelProto = make_model(graph, opset_imports=[make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    model.ClearField("producer_name")
    model.ClearField("producer_version")
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def _require(holds: bool, fault: str) -> None:
    if not holds:
        raise ValueError(f"not the file that this conversion expects: {fault}")
