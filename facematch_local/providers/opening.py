"""Opens a model on an execution provider other than the CPU's."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from facematch_local.cpu import available_cpus
from facematch_local.errors import ProviderError
from facematch_local.providers.options import provider_options
from facematch_local.providers.provider import CPU, PROVIDERS, Provider
from facematch_local.providers.settings import ProviderSettings

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions

_OF_NVIDIA: Final = ("cuda", "tensorrt")


class OneAtATime:
    """A session whose provider allows one run at a time.

    Args:
        session: an open session of ONNX Runtime.
    """

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._lock = threading.Lock()

    def run(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any], run_options: Any = None) -> Any:
        """Run the model when no other thread does."""
        with self._lock:
            return self._session.run(output_names, input_feed, run_options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def open_on(
    provider: Provider, path: Path, session_options: SessionOptions, settings: ProviderSettings, intra_op_threads: int
) -> InferenceSession | OneAtATime:
    """Open a model; nodes that the provider lacks run on the CPU.

    Args:
        provider: the provider.
        path: the model.
        session_options: options of ONNX Runtime.
        settings: folder of compiled models, and number of concurrent runs.
        intra_op_threads: threads of one inference.

    Raises:
        ProviderError: the provider does not start on this machine, or cannot load the model.
    """
    import onnxruntime

    if provider.name in _OF_NVIDIA:
        _prepare_cuda(settings.cache)
    options = provider_options(
        provider,
        cache=settings.cache,
        intra_op_threads=intra_op_threads,
        concurrent_runs=settings.concurrent_runs or available_cpus(),
    )
    needs = f"; it needs {provider.needs}" if provider.needs else ""
    try:
        session = onnxruntime.InferenceSession(
            str(path),
            session_options,
            providers=[(provider.runtime_name, options), PROVIDERS[CPU].runtime_name],
            # Otherwise ONNX Runtime prints to standard output and goes on with the CPU.
            enable_fallback=0,
        )
    except Exception as error:  # ONNX Runtime's exceptions derive from Exception directly
        raise ProviderError(f"it does not load {path.name} ({type(error).__name__}){needs}") from None
    if provider.runtime_name not in session.get_providers():
        raise ProviderError(f"it does not start on this machine; standard error has ONNX Runtime's reason{needs}")
    return session if provider.concurrent else OneAtATime(session)


def _prepare_cuda(cache: Path | None) -> None:
    """Set CUDA up: libraries from Python packages, arithmetic with 32 bits, no cache in the home folder."""
    import onnxruntime

    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")  # TensorRT has no option for this
    if cache is None:
        os.environ.setdefault("CUDA_CACHE_DISABLE", "1")
    else:
        os.environ.setdefault("CUDA_CACHE_PATH", str(cache))
    preload = getattr(onnxruntime, "preload_dlls", None)
    if callable(preload):
        # It prints what it cannot find; standard output belongs to the command's result.
        with contextlib.redirect_stdout(sys.stderr):
            preload()
