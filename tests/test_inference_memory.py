"""The memory of inference changes no output."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.inference_memory import InferenceMemory


@pytest.fixture
def memory(real_inference: None) -> Iterator[InferenceMemory]:
    """A memory of its own; that of the session is off."""
    with pytest.MonkeyPatch.context() as patch:
        memory = InferenceMemory(most_bytes=1000)
        memory.install(patch)
        yield memory


def adding(path: Path, what: float) -> Any:
    """A session of a model that adds a number."""
    import onnxruntime

    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None]) for name in "xy"]
    number = helper.make_tensor("n", TensorProto.FLOAT, [1], [what])
    graph = helper.make_graph([helper.make_node("Add", ["x", "n"], ["y"])], "g", values[:1], values[1:], [number])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_each_input_of_each_model_is_computed_once(memory: InferenceMemory, tmp_path: Path) -> None:
    one, two = adding(tmp_path / "a.onnx", 1), adding(tmp_path / "a.onnx", 2)
    for _ in range(3):
        for session, number in ((one, 1), (two, 2)):
            for x in (np.float32([1, 2, 3]), np.float32([1, 2, 4])):
                (y,) = session.run(None, {"x": x})
                assert y.tolist() == (x + number).tolist()
                y[:] = 99  # what a caller does to its outputs is not remembered
    assert (memory.computed, memory.remembered) == (4, 8)


def test_the_oldest_outputs_are_forgotten(memory: InferenceMemory, tmp_path: Path) -> None:
    session = adding(tmp_path / "a.onnx", 1)
    for x in (1, 2, 3, 1):
        assert session.run(["y"], {"x": np.full(100, x, np.float32)})[0].tolist() == [x + 1] * 100
    assert (memory.computed, memory.remembered) == (4, 0)


def test_a_model_that_is_opened_again_shares_its_session(memory: InferenceMemory, tmp_path: Path) -> None:
    one, again, changed = (adding(tmp_path / "a.onnx", number) for number in (1, 1, 2))
    assert one._sess is again._sess is not changed._sess
