"""Lets ONNX Runtime compute convolutions of a network in whole numbers of 8 bits.

Networks of this project keep the weights of their convolutions as int8 with a step for each output; ONNX Runtime
widens them to float32 when it opens the file. A file may also state the ranges of the values between its convolutions,
measured on photos when the network was made (`scripts.training.common.ranges`): its metadata then hold, under
`RANGES_KEY`, a JSON object of tensor name to lowest and highest value. With both, the values can be rounded to 8 bits.
A processor with instructions for products of bytes adds them up three to four times as fast as float32.

Other processors gain little or lose, so they compute in float32 as before. The answers differ by the rounding.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

RANGES_KEY: Final = "facematch_ranges"
_LARGEST: Final = 255


@dataclass(frozen=True, slots=True)
class _Scale:
    """Step and zero of the 8-bit values of a tensor."""

    step: np.float32
    zero: np.uint8

    @classmethod
    def of(cls, low: float, high: float) -> _Scale:
        low, high = min(low, 0.0), max(high, 0.0)
        step = np.float32(max(high - low, 1e-12) / _LARGEST)
        return cls(step, np.uint8(round(-low / float(step))))


@dataclass(frozen=True, slots=True)
class _Weight:
    """Names of the stored parts of a weight: int8 values (outputs first), and a step for each output."""

    values: str
    step: str


def eight_bit_model(path: Path) -> bytes | None:
    """The file of a network with its convolutions in 8 bits; None if it states no ranges.

    Raises:
        Exception: the file is not a model, or its ranges do not fit it.
    """
    data = path.read_bytes()
    if RANGES_KEY.encode() not in data:  # opening onnx takes longer than reading a file
        return None
    import onnx

    model = onnx.load_model_from_string(data)
    return model.SerializeToString() if in_eight_bits(model) else None


def in_eight_bits(model: ModelProto) -> int:
    """Rewrite the convolutions of a network between tensors with a stated range, in place.

    A convolution stays in float32 if its weights are not stored as int8, if it reads an input of the network, or if the
    range of its input, or of its output or the Relu behind it, is not stated.

    Returns:
        The number of convolutions in 8 bits.
    """
    stated = {entry.key: entry.value for entry in model.metadata_props}.get(RANGES_KEY, "{}")
    return _Network(model.graph, {name: _Scale.of(*limits) for name, limits in json.loads(stated).items()}).rewrite()


class _Network:
    """A graph, its weights and the nodes around each tensor."""

    def __init__(self, graph: GraphProto, scales: Mapping[str, _Scale]) -> None:
        self._graph = graph
        self._weights = {weight.name: weight for weight in graph.initializer}
        self._maker = {name: node for node in graph.node for name in node.output}
        self._scales = {name: scale for name, scale in scales.items() if name in self._maker}
        self._readers: defaultdict[str, list[NodeProto]] = defaultdict(list)
        for node in graph.node:
            for name in node.input:
                self._readers[name].append(node)

    def rewrite(self) -> int:
        """Rewrite the graph; the number of convolutions in 8 bits."""
        found = {node.output[0]: self._eight_bit(node, stored) for node, stored in self._suitable()}
        if not found:
            return 0
        rounded = {name: self._rounded(name) for name in self._scales}
        nodes: list[NodeProto] = []
        for node in self._graph.node:
            nodes += [*found.get(node.output[0], []), node]
            nodes += [each for name in node.output for each in rounded.get(name, [])]
        del self._graph.node[:]
        self._graph.node.extend(nodes)
        return len(found)

    def _suitable(self) -> list[tuple[NodeProto, _Weight]]:
        return [(node, stored) for node in self._graph.node if (stored := self._stored(node)) is not None]

    def _stored(self, node: NodeProto) -> _Weight | None:
        """The stored weight of a convolution that can be computed in 8 bits."""
        if node.op_type != "Conv" or len(node.input) != 3 or node.input[0] not in self._scales:
            return None
        readers = self._readers[node.output[0]]
        behind = [node.output[0], *(name for reader in readers if reader.op_type == "Relu" for name in reader.output)]
        product = self._maker.get(node.input[1])
        if product is None or product.op_type != "Mul" or not any(name in self._scales for name in behind):
            return None
        cast, step = self._maker.get(product.input[0]), product.input[1]
        if cast is None or cast.op_type != "Cast" or not {cast.input[0], step, node.input[2]} <= self._weights.keys():
            return None
        is_int8 = self._values(cast.input[0]).dtype == np.int8
        return _Weight(cast.input[0], step) if is_int8 else None

    def _eight_bit(self, node: NodeProto, stored: _Weight) -> list[NodeProto]:
        """Let a convolution read its int8 weights and an int32 bias; the nodes that ONNX Runtime joins with it."""
        step = self._values(stored.step).reshape(-1)
        unit = step * self._scales[node.input[0]].step  # of the sums
        bias = np.rint(self._values(node.input[2]).astype(np.float64) / unit).astype(np.int32)
        name = node.output[0]
        whole = self._new(f"{name}/bias_whole", bias)
        node.input[1], node.input[2] = f"{name}/weight", f"{name}/bias"
        return [
            self._widened(stored.values, step, np.zeros(len(step), np.int8), f"{name}/weight"),
            self._widened(whole, unit, np.zeros(len(step), np.int32), f"{name}/bias"),
        ]

    def _rounded(self, name: str) -> list[NodeProto]:
        """Round a tensor to 8 bits for all its readers."""
        from onnx.helper import make_node

        scale, whole, again = self._scales[name], f"{name}/whole", f"{name}/rounded"
        for reader in self._readers[name]:
            for at, read in enumerate(reader.input):
                if read == name:
                    reader.input[at] = again
        step, zero = (
            self._new(f"{name}/step", np.asarray(scale.step)),
            self._new(f"{name}/zero", np.asarray(scale.zero)),
        )
        return [
            make_node("QuantizeLinear", [name, step, zero], [whole], name=whole),
            make_node("DequantizeLinear", [whole, step, zero], [again], name=again),
        ]

    def _widened(self, values: str, step: NDArray[Any], zero: NDArray[Any], name: str) -> NodeProto:
        """The node that turns whole numbers (outputs first) into the float32 tensor `name`."""
        from onnx.helper import make_node

        inputs = [values, self._new(f"{name}/step", step.astype(np.float32)), self._new(f"{name}/zero", zero)]
        return make_node("DequantizeLinear", inputs, [name], name=name, axis=0)

    def _values(self, weight: str) -> NDArray[Any]:
        from onnx.numpy_helper import to_array

        return np.asarray(to_array(self._weights[weight]))

    def _new(self, name: str, values: NDArray[Any]) -> str:
        from onnx.numpy_helper import from_array

        self._graph.initializer.append(from_array(values, name))
        return name
