"""What the exports share: batch norms folded before, weights halved and the maker's marks removed after."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils import fusion
from units import ConvUnit

SMALLEST_FP16 = 64  # values; smaller tensors stay fp32
Network = TypeVar("Network", bound=nn.Module)


def folded(network: Network) -> Network:
    """A copy in eval mode whose `ConvUnit`s have their batch norm folded into the convolution."""
    out = copy.deepcopy(network).to("cpu", memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
    for module in out.modules():
        if isinstance(module, ConvUnit):
            module.conv = fusion.fuse_conv_bn_eval(module.conv, module.norm)
            module.norm = nn.Identity()
    return out  # type: ignore[no-any-return]


def finish(path: Path, metadata: dict[str, str] | None = None) -> None:
    """Rewrite an exported file as it is shipped: fp16 weights, no traces of the machine it was made on.

    Each halved tensor gets a Cast to fp32, which onnxruntime folds away when it loads the file.
    """
    model = onnx.load(str(path))
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALLEST_FP16:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_fp16"))
        casts.append(helper.make_node("Cast", [f"{name}_fp16"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.producer_name, model.producer_version, model.doc_string = "facematch-local", "", ""
    for node in model.graph.node:
        node.ClearField("doc_string")
    helper.set_model_props(model, metadata or {})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
