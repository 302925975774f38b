"""The execution providers that this project knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

CPU: Final = "cpu"


@dataclass(frozen=True, slots=True)
class Provider:
    """An execution provider.

    Attributes:
        name: the name in settings.
        runtime_name: its name in ONNX Runtime.
        package: the package that contains it; it takes the place of the package `onnxruntime`.
        needs: what it needs beside the package.
        concurrent: whether several threads may run one session at the same time.
        keeps_compiled: whether it can keep compiled models in a folder.
    """

    name: str
    runtime_name: str
    package: str
    needs: str = ""
    concurrent: bool = True
    keeps_compiled: bool = False


_KNOWN: Final = (
    Provider(CPU, "CPUExecutionProvider", "onnxruntime"),
    Provider("openvino", "OpenVINOExecutionProvider", "onnxruntime-openvino"),
    Provider(
        "cuda",
        "CUDAExecutionProvider",
        "onnxruntime-gpu[cuda,cudnn]",
        needs="an NVIDIA GPU, its driver, and CUDA and cuDNN of the versions that the package names",
    ),
    Provider(
        "tensorrt",
        "TensorrtExecutionProvider",
        "onnxruntime-gpu[cuda,cudnn]",
        needs="an NVIDIA GPU, its driver, and CUDA, cuDNN and TensorRT of the versions that the package names",
        keeps_compiled=True,
    ),
    Provider("coreml", "CoreMLExecutionProvider", "onnxruntime", needs="macOS", keeps_compiled=True),
    Provider(
        "directml",
        "DmlExecutionProvider",
        "onnxruntime-directml",
        needs="Windows and a GPU with DirectX 12",
        concurrent=False,
    ),
)

PROVIDERS: Final[Mapping[str, Provider]] = MappingProxyType({provider.name: provider for provider in _KNOWN})
"""The providers by name."""

# Two stay out. OpenVINO on a CPU is not faster than ONNX Runtime's own CPU provider (docs/performance.md). TensorRT
# compiles for minutes at the first start, and again when a photo has a new size.
AUTO: Final = ("cuda", "coreml", "directml", CPU)
"""What the name `auto` stands for, in order of preference."""
