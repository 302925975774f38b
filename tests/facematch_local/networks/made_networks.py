"""Networks whose outputs are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from facematch_local.faces import Face
from facematch_local.networks.base import METADATA_KEY

CROPS = {
    "occlusion-1": {"face": 112},
    "recapture-1": {"wide": 80},
    "texture-1": {"tiles": 96},
    "confirmation-1": {"face": 64},
    "copy-1": {"portrait": 96},
}

NUMBERS = {"confirmation-1": ["detector"], "recapture-1": ["period"]}


def channel_means(path: Path, convention: str, outputs: int, stated: str | None = None) -> Path:
    """A network whose scores are the mean B, G, R (and R again) of its inputs / 255, summed over the inputs."""
    inputs, numbers = CROPS[convention], NUMBERS.get(convention, [])
    matrix = np.eye(3, outputs, dtype=np.float32) / 255
    matrix[2, 2:] = 1 / 255
    nodes = []
    for name in inputs:
        nodes.append(helper.make_node("Cast", [name], [f"{name}_float"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("ReduceMean", [f"{name}_float"], [f"{name}_mean"], axes=[1, 2], keepdims=0))
    nodes.append(helper.make_node("Sum", [f"{name}_mean" for name in inputs], ["sum"]))
    nodes.append(helper.make_node("MatMul", ["sum", "matrix"], ["scores"]))
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info(k, TensorProto.UINT8, ["n", s, s, 3]) for k, s in inputs.items()]
        + [helper.make_tensor_value_info(k, TensorProto.FLOAT, ["n", 1]) for k in numbers],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(matrix, "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: convention if stated is None else stated})
    onnx.save(model, str(path))
    return path


def constant_points(path: Path, points: np.ndarray) -> Path:
    """A landmark network that returns the same five points for every crop."""
    nodes = [
        helper.make_node("Cast", ["face"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Reshape", ["nothing", "shape"], ["flat"]),
        helper.make_node("Add", ["flat", "where"], ["points"]),
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("face", TensorProto.UINT8, ["n", 80, 80, 3])],
        [helper.make_tensor_value_info("points", TensorProto.FLOAT, ["n", 5, 2])],
        [
            numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
            numpy_helper.from_array(np.array([-1, 1, 1], np.int64), "shape"),
            numpy_helper.from_array(points[None].astype(np.float32), "where"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: "landmarks-1"})
    onnx.save(model, str(path))
    return path


def map_of_green(path: Path) -> Path:
    """A document network: the probability of a cell is its green / 255, that of the photo their mean."""
    nodes = [
        helper.make_node("Cast", ["view"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["float", "green"], ["level"], axis=3),
        helper.make_node("Mul", ["level", "scale"], ["share"]),
        helper.make_node("Unsqueeze", ["share", "one"], ["four"]),
        helper.make_node("AveragePool", ["four"], ["pooled"], kernel_shape=[8, 8], strides=[8, 8]),
        helper.make_node("Squeeze", ["pooled", "one"], ["map"]),
        helper.make_node("ReduceMean", ["map"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "green",
        [helper.make_tensor_value_info("view", TensorProto.UINT8, ["n", 192, 192, 3])],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 1]),
            helper.make_tensor_value_info("map", TensorProto.FLOAT, ["n", 24, 24]),
        ],
        [
            numpy_helper.from_array(np.array(1, np.int64), "green"),
            numpy_helper.from_array(np.float32(1 / 255), "scale"),
            numpy_helper.from_array(np.array([1], np.int64), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: "document-1"})
    onnx.save(model, str(path))
    return path


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def face_at(points: np.ndarray, box: tuple[float, float, float, float] = (0, 0, 50, 60)) -> Face:
    return Face(np.asarray(box, np.float32), np.asarray(points, np.float32), 0.9)


def turned(points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ turn.T + shift
