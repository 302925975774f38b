"""Networks to ONNX files as they are shipped: batch norms folded, weights halved, no traces of the machine."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils import fusion

from scripts.training.common.units import ConvUnit

SMALLEST_FP16 = 64  # values; smaller tensors stay fp32
SMALLEST_INT8 = 1024
Network = TypeVar("Network", bound=nn.Module)


def folded(network: Network) -> Network:
    """A copy in eval mode with the batch norm of each `ConvUnit` that still has one folded into the convolution."""
    out = copy.deepcopy(network).to("cpu", memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    for module in out.modules():
        if isinstance(module, ConvUnit) and not isinstance(module.norm, nn.Identity):
            module.conv = fusion.fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
    return out  # type: ignore[no-any-return]


def finish(path: Path, metadata: dict[str, str] | None = None, int8: bool = False) -> None:
    """Rewrite an exported file as it is shipped: fp16 weights, no traces of the machine that exported it.

    Each halved tensor gets a Cast to fp32, which onnxruntime folds away when it loads the file; so the net computes in
    fp32 as before.

    Args:
        path: the file.
        metadata: properties to write into it.
        int8: keep the weights of convolutions and linear layers as int8, with a factor for each output.
    """
    model = onnx.load(str(path))
    # Both have the outputs first (torch exports its linear layers with transB).
    multiplied = {node.input[1] for node in model.graph.node if node.op_type in ("Conv", "Gemm")}
    casts, factors = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALLEST_FP16:
            continue
        name = tensor.name
        if int8 and name in multiplied and values.size >= SMALLEST_INT8:
            step = np.maximum(np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True) / 127, 1e-12).astype(
                np.float32
            )
            whole = np.rint(values / step).astype(np.int8)
            tensor.CopyFrom(numpy_helper.from_array(whole, f"{name}_int8"))
            factors.append(numpy_helper.from_array(step, f"{name}_step"))
            casts.append(helper.make_node("Cast", [f"{name}_int8"], [f"{name}_whole"], to=TensorProto.FLOAT))
            casts.append(helper.make_node("Mul", [f"{name}_whole", f"{name}_step"], [name]))
            continue
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_fp16"))
        casts.append(helper.make_node("Cast", [f"{name}_fp16"], [name], to=TensorProto.FLOAT))
    model.graph.initializer.extend(factors)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.producer_name, model.producer_version, model.doc_string = "facematch-local", "", ""
    for node in model.graph.node:
        node.ClearField("doc_string")
    helper.set_model_props(model, metadata or {})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def to_onnx(
    network: nn.Module,
    examples: tuple[Tensor, ...],
    path: Path,
    inputs: Sequence[str],
    outputs: Sequence[str],
    axes: dict[str, dict[int, str]],
    opset: int,
) -> None:
    """Write a network as torch exports it; `finish` makes it what is shipped.

    Args:
        network: in eval mode.
        examples: one input each.
        path: the file; its folder is created.
        inputs: names.
        outputs: names.
        axes: by name, the axes that are free.
        opset: version of the operators.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        network,
        examples,
        str(path),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes=axes,
        opset_version=opset,
        dynamo=False,
    )


class _Exported(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, *inputs: Tensor) -> Tensor:
        scores: Tensor = self.net.outputs(self.net(*inputs))  # type: ignore[operator]
        return scores  # or several, in the order of the net's OUTPUT


def export(net: nn.Module, examples: tuple[Tensor, ...], path: Path, int8: bool = False) -> None:
    """Write a net with INPUTS, OUTPUT and CONVENTION as it is shipped; the convention goes into the metadata."""
    net = folded(net)
    names: Any = list(net.INPUTS)
    outputs: Any = [net.OUTPUT] if isinstance(net.OUTPUT, str) else list(net.OUTPUT)  # type: ignore[arg-type]
    axes = {name: {0: "faces"} for name in (*names, *outputs)}
    to_onnx(_Exported(net).eval(), examples, path, names, outputs, axes, opset=17)
    finish(path, {"facematch_convention": str(net.CONVENTION)}, int8)
