"""How ONNX Runtime runs, and opening models with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from facematch_local.errors import PackError
from facematch_local.packs.manifest import MANIFEST, ModelPack

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How ONNX Runtime runs.

    Attributes:
        intra_op_threads: threads one inference may use. 1 under load: requests then run side by side
            instead of fighting for cores.
        providers: ONNX Runtime execution providers in order of preference; all must be there.
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
    """Open a pack's detector or recogniser through `insightface.model_zoo`.

    Raises:
        PackError: it cannot be opened, or insightface takes it for something else than `task`.
    """
    from insightface.model_zoo import get_model

    path = pack.files[task].path
    try:
        model = get_model(
            str(path),
            providers=list(settings.providers),
            sess_options=_options(settings),
            # By default insightface opens one more session for every input size a detector meets.
            static_shape_sessions=False,
        )
    except Exception as error:  # ONNX Runtime's exceptions derive from Exception directly
        raise _cannot_open(path, error) from None
    if getattr(model, "taskname", None) != task:
        raise PackError(f"{path}: insightface does not take this model for {task}; see {MANIFEST}")
    return cast(object, model)


def require_providers(settings: SessionSettings) -> None:
    """Refuse providers that are not there: ONNX Runtime would fall back to the CPU with no more than a line in its log.

    Raises:
        PackError: one is missing.
    """
    import onnxruntime

    missing = set(settings.providers) - set(onnxruntime.get_available_providers())
    if missing:
        raise PackError(
            f"ONNX Runtime has no {', '.join(sorted(missing))} here; install the onnxruntime package that brings it"
        )


def _options(settings: SessionSettings) -> SessionOptions:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.intra_op_threads
    options.inter_op_num_threads = 1
    # Threads that wait by spinning take the cores away from the other requests.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Plans memory for each input shape it meets and keeps the plan; photos have any shape.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    return options


def _cannot_open(path: Path, error: Exception) -> PackError:
    return PackError(
        f"{path}: ONNX Runtime cannot open it ({type(error).__name__}); the file is damaged or needs "
        "another onnxruntime"
    )
