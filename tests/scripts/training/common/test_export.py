"""What a network loses when its weights are stored as int8: next to nothing, and the rest stays as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

pytest.importorskip("torch", reason="the exports need torch, an extra for the trainings")

from scripts.training.common import export


def test_int8_weights_give_nearly_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    filters = (rng.normal(0, 0.05, (32, 16, 3, 3)) * rng.uniform(0.1, 3, (32, 1, 1, 1))).astype(np.float32)
    matrix = rng.normal(0, 0.1, (40, 32)).astype(np.float32)
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Conv", ["x", "filters"], ["seen"]),
            onnx.helper.make_node("GlobalAveragePool", ["seen"], ["pooled"]),
            onnx.helper.make_node("Flatten", ["pooled"], ["flat"]),
            onnx.helper.make_node("Gemm", ["flat", "matrix"], ["y"], transB=1),
        ],
        "net",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 16, 12, 12])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 40])],
        [onnx.numpy_helper.from_array(filters, "filters"), onnx.numpy_helper.from_array(matrix, "matrix")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    sizes, answers = {}, {}
    pixels = rng.normal(0, 1, (4, 16, 12, 12)).astype(np.float32)
    for name, finished in (("plain", None), ("fp16", False), ("int8", True)):
        path = tmp_path / f"{name}.onnx"
        onnx.save(model, str(path))
        if finished is not None:
            export.finish(path, {"key": "value"}, int8=finished)
            assert onnx.load(str(path)).metadata_props[0].value == "value"
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        sizes[name], answers[name] = path.stat().st_size, session.run(None, {"x": pixels})[0]
    assert sizes["int8"] < 0.65 * sizes["fp16"] < 0.4 * sizes["plain"]
    spread = answers["plain"].std()
    assert 0 < np.abs(answers["int8"] - answers["plain"]).max() < 0.05 * spread
    assert np.abs(answers["fp16"] - answers["plain"]).max() < 0.01 * spread
