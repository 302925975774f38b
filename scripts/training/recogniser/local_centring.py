"""Local centring as the last nodes of a recogniser: each embedding less the mean of what the net says of like faces.

A small net gives some groups of faces, above all those that it saw few people of, embeddings that are all alike, so
the same cosine means less among them. What an embedding shares with its whole neighbourhood says nothing about who it
is; taken away (Hara et al., "Localized Centering", AAAI 2015), the impostor scores of different groups come closer
together. Speaker verification does the same to scores (adaptive s-norm); done to the embedding, a plain cosine stays
all that a service needs.

Neighbourhoods are K means of embeddings, weighted smoothly: e - softmax(BETA e.M + log n) M, with e of length 1,
M [K,D] the means and n how many faces each stands for.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from scripts.training.common.image import Array

BETA = 16.0  # anything from 14 to 20 does as well on the people set aside
PREFIX = "centring."
RAW = PREFIX + "raw"


def without(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the model that ends at the plain embedding."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    graph = out.graph
    name = graph.output[0].name
    nodes = [
        n for n in graph.node if not any(part.startswith(PREFIX) and part != RAW for part in (*n.input, *n.output))
    ]
    kept = [tensor for tensor in graph.initializer if not tensor.name.startswith(PREFIX)]
    for node in nodes:
        node.output[:] = [name if part == RAW else part for part in node.output]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    return out


def with_centring(model: onnx.ModelProto, means: Array, counts: Array) -> onnx.ModelProto:
    """A copy of a model that ends with centring; `means` [K,D] of embeddings of length 1, `counts` [K] of them."""
    out = without(model)
    graph = out.graph
    name = graph.output[0].name
    for node in graph.node:
        node.output[:] = [RAW if part == name else part for part in node.output]
    parts = {part: PREFIX + part for part in ("means_fp16", "means", "log_counts", "unit", "likeness", "share", "mean")}
    graph.initializer.extend(
        [
            numpy_helper.from_array(means.astype(np.float16), parts["means_fp16"]),
            numpy_helper.from_array(np.log(counts).astype(np.float32), parts["log_counts"]),
        ]
    )
    nodes = [
        helper.make_node("Cast", [parts["means_fp16"]], [parts["means"]], to=TensorProto.FLOAT),
        *graph.node,
        helper.make_node("LpNormalization", [RAW], [parts["unit"]], axis=1, p=2),
        helper.make_node(
            "Gemm", [parts["unit"], parts["means"], parts["log_counts"]], [parts["likeness"]], alpha=BETA, transB=1
        ),
        helper.make_node("Softmax", [parts["likeness"]], [parts["share"]], axis=1),
        helper.make_node("MatMul", [parts["share"], parts["means"]], [parts["mean"]]),
        helper.make_node("Sub", [parts["unit"], parts["mean"]], [name]),
    ]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(out)
    return out
