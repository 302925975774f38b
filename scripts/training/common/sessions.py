"""ONNX Runtime sessions that use one CPU thread: figures must not depend on how many cores are free."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort


def one_thread() -> ort.SessionOptions:
    """Options for one thread and no log below errors."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options


def open_session(model: Path | bytes) -> ort.InferenceSession:
    """A session on the CPU, one thread; the model as a file or its content."""
    content = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(content, one_thread(), providers=["CPUExecutionProvider"])
