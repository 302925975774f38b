"""A model pack as data: its files by task, its licence, its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facematch_local.errors import PackError

MANIFEST: Final = "pack.toml"
CALIBRATION: Final = "calibration.json"
REQUIRED_TASKS: Final = ("detection", "recognition")


class NotInstalledError(PackError):
    """The pack does not exist, or its weights are missing.

    Attributes:
        described: name of the pack whose weights are missing; "" if the pack does not exist.
    """

    def __init__(self, message: str, described: str = "") -> None:
        super().__init__(message)
        self.described = described


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a pack.

    Attributes:
        path: path of the file.
        sha256: checksum, hex; "" if the manifest does not state one.
        source: path of the original file in the pack's source; "" without a source.
        source_sha256: checksum of that original file, hex.
    """

    path: Path
    sha256: str = ""
    source: str = ""
    source_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A package of the package index that contains files of a pack.

    Attributes:
        package, version: name and version in the index.
        archive: file name of the wheel.
        sha256: checksum of the wheel, hex.
    """

    package: str
    version: str
    archive: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelPack:
    """Description of a pack; its models are not open.

    Attributes:
        name: `name` of the manifest, else the folder's name.
        version: `version` of the manifest, else "".
        folder: path of the pack.
        files: files by task; tasks are `detection`, `recognition` and those of `facematch_local.networks.TASKS`.
        licence: SPDX id or a sentence; "" if not stated.
        commercial_use: whether the licence permits commercial use; None if not stated.
        calibration: the pack's own calibration file, or None.
        mirror: whether the recogniser embeds the mirrored crop as well.
        base: name of the pack that provides the missing tasks; "" for none.
        source: package with the weights that are not in a repository; None if all are.
        confirm_below: confidence below which the face filter examines a face; None for the default.
        landmark_looks: number of passes of the landmark network over the largest face; None for the default.
        notice: message to the operator about the choice of this pack; "" for none.
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
        """Size of the files in bytes, including those of the base."""
        return sum(file.path.stat().st_size for file in self.files.values() if file.path.is_file())
