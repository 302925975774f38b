"""Replaces PRelu in a network by operators that ONNX Runtime computes faster on an x86-64 CPU.

ONNX Runtime lays out the tensors between convolutions in blocks of channels. Its PRelu does not read that layout, so
every PRelu costs a change of layout before it and one behind it, and its own loop is slow: together two fifths of the
time of a MobileFaceNet. A depthwise 1x1 convolution reads the layout and adds another tensor in the same pass:

    PRelu(x) = Relu(z) + (a / s) z    with z = s x, s = 1 - a, for a slope a below 1

The operator before the PRelu gives z instead of x: its weights are multiplied by s. With a slope above 1, s = a - 1 and
the sum has the opposite sign; the convolutions behind it change the sign of their weights.

The result differs from that of the original network by rounding only.
"""

from __future__ import annotations

import io
import platform
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from facematch_local.packs.files import task_of_graph

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto
    from onnxruntime import SessionOptions

_Floats = NDArray[np.float64]

# A slope of 1 would need an infinite weight. This scale changes such a slope by a rounding error.
_LEAST_SCALE: Final = 1e-6


def open_without_prelu(path: Path, options: SessionOptions) -> object | None:
    """Open a recogniser with its PRelu nodes replaced, on the CPU.

    Args:
        path: the model.
        options: options of the session.

    Returns:
        The recogniser, with the interface of insightface's; None if it has no such nodes, is not a recogniser by
        insightface's rules, or this processor has no blocked layout.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return None
    import onnx
    import onnxruntime
    from insightface.model_zoo import ArcFaceONNX

    model = onnx.load_model(str(path))
    if task_of_graph(model.graph) != "recognition" or not without_prelu(model):
        return None
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    # The session keeps the file's content in case `set_providers` opens it again, which nobody calls.
    session._model_bytes = b""
    # insightface reads the names of the first nodes: they tell whether the network normalises its input itself.
    start = onnx.ModelProto(ir_version=model.ir_version)
    start.graph.node.extend(model.graph.node[:8])
    return cast(object, ArcFaceONNX(model_file=io.BytesIO(start.SerializeToString()), session=session))


def without_prelu(model: ModelProto) -> int:
    """Replace the PRelu nodes of a network in place.

    A node stays if its neighbours cannot take over the scale and the sign: the operator before it must be a convolution
    or a batch normalisation with constant weights that nothing else reads, and behind a slope above 1 there must be
    convolutions only.

    Args:
        model: the network, float32.

    Returns:
        The number of nodes replaced.
    """
    network = _Network(model.graph)
    replaced = [node for node in model.graph.node if node.op_type == "PRelu" and network.take_over(node)]
    if replaced:
        network.write(replaced)
    return len(replaced)


class _Network:
    """A graph, its weights, and the nodes around each tensor."""

    def __init__(self, graph: GraphProto) -> None:
        self._graph = graph
        self._weights = {weight.name: weight for weight in graph.initializer}
        self._new: dict[str, NDArray[Any]] = {}
        self._maker = {name: node for node in graph.node for name in node.output}
        self._readers: defaultdict[str, list[NodeProto]] = defaultdict(list)
        for node in graph.node:
            for name in node.input:
                self._readers[name].append(node)
        self._outputs = {output.name for output in graph.output}

    def take_over(self, prelu: NodeProto) -> bool:
        """Move scale and sign of a PRelu into the weights of its neighbours; False, without effect, if it must stay."""
        source, slope = prelu.input
        maker = self._maker.get(source)
        if maker is None or not self._is_private(source) or not self._can_scale(maker):
            return False
        slopes = self._slopes(slope, self._weights[maker.input[1]].dims[0])
        if slopes is None:
            return False
        sign = np.where(slopes > 1, -1.0, 1.0)
        readers = self._readers[prelu.output[0]]
        if (sign < 0).any() and (
            prelu.output[0] in self._outputs
            or any(reader.op_type != "Conv" or not self._is_own(reader.input[1]) for reader in readers)
        ):
            return False
        scales = np.maximum(np.abs(1 - slopes), _LEAST_SCALE)
        for name in maker.input[1:3]:
            self._multiply(name, scales.reshape(-1, *(1,) * (len(self._weights[name].dims) - 1)))
        if (sign < 0).any():
            for reader in readers:
                self._flip(reader, sign)
        self._new[_weight_of(prelu)] = (sign * slopes / scales).reshape(-1, 1, 1, 1)
        return True

    def write(self, replaced: list[NodeProto]) -> None:
        """Write the changed weights, and other nodes instead of the replaced ones."""
        from onnx.numpy_helper import from_array

        for name, values in self._new.items():
            weight = self._weights.get(name) or self._graph.initializer.add()
            weight.CopyFrom(from_array(values.astype(np.float32), name))
        outputs = {node.output[0] for node in replaced}
        nodes = [
            part for node in self._graph.node for part in (self._parts(node) if node.output[0] in outputs else [node])
        ]
        del self._graph.node[:]
        self._graph.node.extend(nodes)

    def _parts(self, prelu: NodeProto) -> list[NodeProto]:
        """The nodes that replace a PRelu."""
        from onnx.helper import make_node

        source, output, weight = prelu.input[0], prelu.output[0], _weight_of(prelu)
        positive, scaled = f"{output}/positive", f"{output}/scaled"
        channels = len(self._new[weight])
        return [
            make_node("Relu", [source], [positive], name=positive),
            make_node("Conv", [source, weight], [scaled], name=scaled, group=channels, kernel_shape=[1, 1]),
            make_node("Add", [scaled, positive], [output], name=f"{output}/sum"),
        ]

    def _slopes(self, name: str, channels: int) -> _Floats | None:
        """The slopes, (channels,); None if they are not constant or differ within a channel."""
        if name not in self._weights or len(self._weights[name].dims) not in (3, 4):
            return None
        slopes = self._values(name)
        if slopes.size not in (1, channels) or slopes.shape[-3] != slopes.size:
            return None
        return np.broadcast_to(slopes.reshape(-1), (channels,))

    def _can_scale(self, node: NodeProto) -> bool:
        """Whether the outputs of a node can be scaled by channel through its weights."""
        return node.op_type in ("Conv", "BatchNormalization") and all(map(self._is_own, node.input[1:3]))

    def _is_private(self, tensor: str) -> bool:
        """Whether one node only reads a tensor."""
        return len(self._readers[tensor]) == 1 and tensor not in self._outputs

    def _is_own(self, weight: str) -> bool:
        """Whether a weight is constant and one node only reads it."""
        return weight in self._weights and len(self._readers[weight]) == 1

    def _values(self, weight: str) -> _Floats:
        from onnx.numpy_helper import to_array

        values: _Floats = to_array(self._weights[weight]).astype(np.float64)
        return values

    def _multiply(self, weight: str, factors: _Floats) -> None:
        present = self._new.get(weight)
        self._new[weight] = (self._values(weight) if present is None else present) * factors

    def _flip(self, convolution: NodeProto, sign: _Floats) -> None:
        """Multiply the weights of a convolution by a sign for each channel of its input."""
        weight = convolution.input[1]
        outputs, inputs, *kernel = self._weights[weight].dims
        groups = len(sign) // inputs
        signs = np.broadcast_to(sign.reshape(groups, 1, inputs), (groups, outputs // groups, inputs))
        self._multiply(weight, signs.reshape(outputs, inputs, *(1,) * len(kernel)))


def _weight_of(prelu: NodeProto) -> str:
    return f"{prelu.output[0]}/slopes"
