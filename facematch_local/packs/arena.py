"""The memory of the networks' runs."""

from __future__ import annotations

import functools


@functools.cache
def share_arena() -> None:
    """Let all networks that this process opens from now on share the memory of their runs.

    By default each session of ONNX Runtime keeps the memory of its largest run for itself, and up to twice of it. The
    setting is one of the whole process, so only an application makes it, such as the service. A second call has no
    effect.
    """
    import onnxruntime

    kind, use = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    as_requested = onnxruntime.OrtArenaCfg({"arena_extend_strategy": 1})
    onnxruntime.create_and_register_allocator(onnxruntime.OrtMemoryInfo("Cpu", kind, 0, use), as_requested)
