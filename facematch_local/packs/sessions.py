"""Settings of ONNX Runtime, and functions that open models with it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from facematch_local.errors import PackError
from facematch_local.packs.deferred_import import deferred_import
from facematch_local.packs.model_pack import MANIFEST, ModelPack
from facematch_local.packs.prelu import open_without_prelu
from facematch_local.providers import CPU, PROVIDERS, Provider, ProviderSettings
from facematch_local.providers.opening import open_on

_CPU: Final = PROVIDERS[CPU].runtime_name

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Settings of ONNX Runtime.

    Attributes:
        intra_op_threads: number of threads per inference. Use 1 under load, so that requests run in parallel instead
            of competing for cores.
        providers: which execution provider runs detector and recogniser.
    """

    intra_op_threads: int = 1
    providers: ProviderSettings = field(default_factory=ProviderSettings)


def open_session(path: Path, settings: SessionSettings) -> InferenceSession:
    """Open a model on the CPU.

    Raises:
        PackError: ONNX Runtime cannot open it.
    """
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(str(path), _options(settings), providers=[_CPU])
    except Exception as error:  # ONNX Runtime's exceptions derive from Exception directly
        raise _cannot_open(path, error) from None


def open_with_insightface(pack: ModelPack, task: str, settings: SessionSettings) -> object:
    """Open a pack's detector or recogniser with `insightface.model_zoo`, on the CPU.

    Raises:
        PackError: the model cannot be opened, or insightface identifies it as a model for another task.
    """
    # The package imports `app`, which takes longer (scipy) than all other imports of a short command.
    with deferred_import("insightface.app"):
        from insightface.model_zoo import get_model

    path = pack.files[task].path
    try:
        if task == "recognition" and (rewritten := open_without_prelu(path, _options(settings))) is not None:
            return rewritten
        model = get_model(
            str(path),
            providers=[_CPU],
            sess_options=_options(settings),
            # By default insightface opens another session for each input size of a detector.
            static_shape_sessions=False,
        )
    except Exception as error:  # ONNX Runtime's exceptions derive from Exception directly
        raise _cannot_open(path, error) from None
    if getattr(model, "taskname", None) != task:
        raise PackError(f"{path}: insightface does not identify this model as one for {task}; check {MANIFEST}")
    # Imported here: the module imports insightface.
    from facematch_local.faces.scrfd import Scrfd

    return cast(object, model) if task != "detection" else Scrfd(str(path), model.session)


def open_again(path: Path, opened: object, provider: Provider, settings: SessionSettings) -> object:
    """Open a detector or recogniser on another execution provider.

    Args:
        path: the model.
        opened: the same model, as `open_with_insightface` opened it; it does not change.
        provider: the provider.
        settings: settings of ONNX Runtime.

    Raises:
        ProviderError: the provider does not start on this machine, or cannot load the model.
    """
    # Not with `get_model`: for CoreML it keeps compiled models in the user's home folder.
    model: Any = copy.copy(opened)
    model.session = open_on(provider, path, _options(settings), settings.providers, settings.intra_op_threads)
    return cast(object, model)


def _options(settings: SessionSettings) -> SessionOptions:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.intra_op_threads
    options.inter_op_num_threads = 1
    # Spinning threads would take cores from other requests.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The memory pattern keeps a plan for each input shape; photos have many shapes.
    options.enable_mem_pattern = False
    # Without effect unless the application shares an arena, as the service does (`packs.arena`).
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.log_severity_level = 3
    return options


def _cannot_open(path: Path, error: Exception) -> PackError:
    return PackError(
        f"{path}: ONNX Runtime cannot open the model ({type(error).__name__}); the file is damaged or needs "
        "another version of onnxruntime"
    )
