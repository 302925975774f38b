"""Files of a pack: present, whole, and for which task."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from facematch_local.errors import PackError
from facematch_local.packs.model_pack import MANIFEST, ModelFile, ModelPack

if TYPE_CHECKING:
    from onnx import GraphProto

# Sides in pixels that insightface accepts as the input of a recogniser and can align a face to.
RECOGNISER_SIDES: Final = (112, 128, 224, 256)
_LFS_POINTER: Final = b"version https://git-lfs"


def verify_files(files: Mapping[str, ModelFile]) -> None:
    """Compare each file with its stated checksum.

    Raises:
        PackError: a file differs; the message names it.
    """
    for file in files.values():
        if file.sha256 and sha256_of(file.path) != file.sha256:
            raise PackError(f"{file.path}: damaged (sha256 differs from {MANIFEST}); install the pack again")


def verify_pack(pack: ModelPack) -> None:
    """Compare each file of a pack with the checksum in the manifest.

    Raises:
        PackError: a file differs; the message names it.
    """
    verify_files(pack.files)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def require_model(path: Path) -> None:
    """Refuse a file that is missing, empty or a Git LFS pointer; the loader checks the rest.

    Raises:
        PackError: the file is one of these; the message states which, and the remedy.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(len(_LFS_POINTER))
    except OSError as error:
        raise PackError(
            f"{path}: cannot be read ({error.strerror}); copy the file again from the source of the pack"
        ) from None
    if start == _LFS_POINTER:
        raise PackError(
            f"{path}: only a Git LFS pointer, not the model; run `git lfs pull` in the repository it came from"
        )
    if not start:
        raise PackError(f"{path}: the file is empty; copy it again from the source of the pack")


def task_of(path: Path) -> str:
    """Identify the task of a model by its graph, by the rules of insightface's `ModelRouter`.

    Returns:
        `detection` or `recognition`; "" for neither.

    Raises:
        PackError: the file is not an ONNX model.
    """
    import onnx

    require_model(path)
    try:
        graph = onnx.load_model(str(path), load_external_data=False).graph
    except Exception as error:  # protobuf's DecodeError is in a module that depends on its version
        raise PackError(f"{path}: damaged or not an ONNX model ({type(error).__name__}); copy it again") from None
    return task_of_graph(graph)


def task_of_graph(graph: GraphProto) -> str:
    """`detection` or `recognition` by the same rules; "" for neither."""
    # Old exporters list the weights among the inputs.
    weights = {entry.name for entry in graph.initializer}
    inputs = [entry for entry in graph.input if entry.name not in weights]
    shape = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim] if inputs else []
    if len(graph.output) >= 5:
        return "detection"
    square = len(inputs) == 1 and len(shape) == 4 and shape[2] == shape[3]
    return "recognition" if square and shape[2] in RECOGNISER_SIDES else ""
