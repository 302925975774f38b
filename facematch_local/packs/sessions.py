"""Settings of ONNX Runtime, and functions that open models with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from facematch_local.errors import PackError
from facematch_local.packs.deferred_import import deferred_import
from facematch_local.packs.model_pack import MANIFEST, ModelPack
from facematch_local.packs.prelu import open_without_prelu

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Settings of ONNX Runtime.

    Attributes:
        intra_op_threads: number of threads per inference. Use 1 under load, so that requests run in parallel instead
            of competing for cores.
        providers: execution providers in order of preference; all must be available.
    """

    intra_op_threads: int = 1
    providers: tuple[str, ...] = ("CPUExecutionProvider",)


def open_session(path: Path, settings: SessionSettings) -> InferenceSession:
    """Open a model.

    Raises:
        PackError: ONNX Runtime cannot open it.
    """
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(str(path), _options(settings), providers=list(settings.providers))
    except Exception as error:  # ONNX Runtime's exceptions derive from Exception directly
        raise _cannot_open(path, error) from None


def open_with_insightface(pack: ModelPack, task: str, settings: SessionSettings) -> object:
    """Open a pack's detector or recogniser with `insightface.model_zoo`.

    Raises:
        PackError: the model cannot be opened, or insightface identifies it as a model for another task.
    """
    # The package imports `app`, which takes longer (scipy) than all other imports of a short command.
    with deferred_import("insightface.app"):
        from insightface.model_zoo import get_model

    path = pack.files[task].path
    try:
        if task == "recognition" and settings.providers == ("CPUExecutionProvider",):
            rewritten = open_without_prelu(path, _options(settings))
            if rewritten is not None:
                return rewritten
        model = get_model(
            str(path),
            providers=list(settings.providers),
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


def require_providers(settings: SessionSettings) -> None:
    """Refuse unavailable providers: ONNX Runtime would fall back to the CPU with only a line in its log.

    Raises:
        PackError: a provider is not available.
    """
    import onnxruntime

    missing = set(settings.providers) - set(onnxruntime.get_available_providers())
    if missing:
        raise PackError(
            f"ONNX Runtime lacks {', '.join(sorted(missing))}; install the onnxruntime package that provides it"
        )


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
