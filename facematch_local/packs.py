"""Model packs: find one, verify it, open its sessions.

A pack is a folder. With a `pack.toml` it states name, version, roles, checksums and licence; without one
it is taken as a plain insightface folder, in which insightface's own rules tell detector and recogniser
apart. Nothing is ever downloaded.

```toml
name = "compact"
version = "1.0.0"
calibration = "calibration.json"      # optional; a file of this name is found anyway

[licence]
id = "Apache-2.0"
commercial_use = true

[roles.detection]                     # also: recognition, and optional roles
file = "det.onnx"
sha256 = "…"

[roles.recognition]
file = "rec.onnx"
sha256 = "…"
mirror = true                         # optional: embed the mirrored crop too, see FaceAnalyser

[roles.occlusion]                     # optional, as are the other heads, see facematch_local.heads
file = "heads/occlusion.onnx"         # in a subfolder, where insightface's own loader does not look
sha256 = "…"
```
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast

import numpy as np

from facematch_local.errors import PackError
from facematch_local.faces import DetectionSettings, Detector, FaceAnalyser, Recogniser
from facematch_local.heads import (
    LANDMARK_SIZE,
    ConfirmationHead,
    CopyHead,
    DocumentHead,
    Heads,
    LandmarkHead,
    OcclusionHead,
    RecaptureHead,
)
from facematch_local.similarity import GENERIC, GENERIC_STRICT, Calibration, load_calibration

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions

_Head = TypeVar("_Head")

DEFAULT_PACK: Final = "compact"
MANIFEST: Final = "pack.toml"
CALIBRATION: Final = "calibration.json"
# Input sides that insightface takes for a recogniser and can align a face to.
_RECOGNISER_SIDES: Final = (112, 128, 224, 256)
REQUIRED_ROLES: Final = ("detection", "recognition")
# Heads that are lent to packs without them. Landmarks are not: a recogniser wants those of the detector that it was
# trained and its curve made with. Nor is the confirmation: it was taught what the shipped detector errs on.
HEAD_ROLES: Final = ("occlusion", "recapture", "document", "copy")
_LFS_POINTER: Final = b"version https://git-lfs"
_BUILT_IN_CALIBRATIONS: Final = Path(__file__).parent / "calibrations"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a pack; `sha256` is "" where the pack states none."""

    path: Path
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class ModelPack:
    """What a pack says of itself; no session is open yet.

    Attributes:
        name: `name` of the manifest, else the folder's name.
        version: `version` of the manifest, else "".
        folder: where it lies.
        files: role to file; roles are `detection`, `recognition` and optional ones.
        licence: SPDX id or a sentence, "" if not stated.
        commercial_use: what the manifest says, None if it says nothing.
        calibration: the pack's own calibration file, if it brings one.
        mirror: whether its recogniser embeds the mirrored crop as well.
    """

    name: str
    version: str
    folder: Path
    files: Mapping[str, ModelFile]
    licence: str = ""
    commercial_use: bool | None = None
    calibration: Path | None = None
    mirror: bool = False


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


@dataclass(frozen=True, slots=True)
class LoadedPack:
    """A pack ready for use.

    Attributes:
        pack: what it says of itself.
        analyser: its detector, recogniser and, if it has them, the heads for landmarks and confirmation.
        calibration: the curve for its recogniser.
        heads: learned heads, its own and those lent to it.
        lent: roles of the heads that are the shipped pack's, since it brings none.
    """

    pack: ModelPack
    analyser: FaceAnalyser
    calibration: Calibration
    heads: Heads = field(default_factory=Heads)
    lent: tuple[str, ...] = ()


def search_folders(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Folders that may hold packs, in order: `FACEMATCH_MODELS`, shipped, `~/.insightface/models`."""
    environ = os.environ if environ is None else environ
    named = [Path(part) for part in environ.get("FACEMATCH_MODELS", "").split(os.pathsep) if part]
    return (*named, *_shipped_folders(), *_home("~/.insightface/models"))


def find_pack(name: str = DEFAULT_PACK, folders: Sequence[Path] | None = None) -> ModelPack:
    """Find a pack by path or name.

    Args:
        name: a folder, or the name of a folder in one of `folders`.
        folders: where to look; default `search_folders()`. An entry may also be the pack itself.

    Raises:
        PackError: there is no such pack, or its manifest is wrong.
    """
    folders = search_folders() if folders is None else folders
    candidates = [*_home(name), *(folder / name for folder in folders)]
    candidates += [folder for folder in folders if folder.name == name]
    for candidate in candidates:
        if candidate.is_dir() and _looks_like_pack(candidate):
            return read_pack(candidate)
    looked = ", ".join(str(folder) for folder in folders)
    raise PackError(
        f"no model pack {name!r}: give the path of a folder with a detector and a recogniser (ONNX), "
        f"or put the pack into one of {looked}"
    )


def list_packs(folders: Sequence[Path] | None = None) -> Iterator[ModelPack]:
    """All packs in `folders` (default `search_folders()`); folders that are no valid pack are left out."""
    return (found for found in scan_packs(folders) if isinstance(found, ModelPack))


def scan_packs(folders: Sequence[Path] | None = None) -> Iterator[ModelPack | PackError]:
    """All packs in `folders` (default `search_folders()`), and for those that cannot be used the reason."""
    seen: set[Path] = set()
    for folder in search_folders() if folders is None else folders:
        for candidate in _subfolders(folder):
            resolved = candidate.resolve()
            if resolved not in seen and _looks_like_pack(candidate):
                seen.add(resolved)
                try:
                    yield read_pack(candidate)
                except PackError as error:
                    yield error


def read_pack(folder: Path) -> ModelPack:
    """Read a pack's manifest, or tell the roles of a plain insightface folder.

    Raises:
        PackError: the manifest is wrong, a file it names is missing, or a required role is not there.
    """
    manifest = folder / MANIFEST
    pack = _from_manifest(manifest) if manifest.is_file() else _from_plain_folder(folder)
    for role in REQUIRED_ROLES:
        if role not in pack.files:
            raise PackError(f"{folder}: no file for the role {role!r}; the pack needs one")
    for file in pack.files.values():
        _require_model(file.path)
    return pack


def verify_pack(pack: ModelPack) -> None:
    """Compare every file with the checksum that the manifest states.

    Raises:
        PackError: a file differs; the message names it.
    """
    for file in pack.files.values():
        if file.sha256 and sha256_of(file.path) != file.sha256:
            raise PackError(f"{file.path}: damaged (sha256 differs from {MANIFEST}); install the pack again")


def load_pack(
    pack: ModelPack,
    sessions: SessionSettings | None = None,
    detection: DetectionSettings | None = None,
    *,
    lend_heads: bool = True,
) -> LoadedPack:
    """Verify a pack and open its sessions through `insightface.model_zoo`.

    Args:
        pack: what to open.
        sessions: how ONNX Runtime runs.
        detection: how faces are looked for.
        lend_heads: use the shipped pack's heads for warnings where the pack brings none. A head looks at a crop by five
            landmarks, whoever found them, and finds more than the classical measures.

    Raises:
        PackError: a file, of the pack or a lent one, is damaged or is not the model its role says.
    """
    lent = lent_heads(pack) if lend_heads else {}
    verify_pack(pack)
    try:
        verify_pack(replace(pack, files=lent))
    except PackError as error:
        raise PackError(f"a head that {DEFAULT_PACK} lends to {pack.name}: {error}") from None
    sessions = sessions or SessionSettings()
    _require_providers(sessions)
    detector = cast(Detector, _open(pack, "detection", sessions))
    recogniser = cast(Recogniser, _open(pack, "recognition", sessions))
    locator = _open_landmark_head(pack, sessions)
    analyser = FaceAnalyser(
        detector,
        recogniser,
        detection or DetectionSettings(),
        mirror=pack.mirror,
        locator=locator,
        confirmer=_open_confirmation_head(pack, sessions),
    )
    _try_out(pack, analyser)
    heads = _open_heads(replace(pack, files={**pack.files, **lent}), sessions)
    return LoadedPack(pack, analyser, calibration_for(pack), heads, tuple(lent))


def lent_heads(pack: ModelPack, folders: Sequence[Path] | None = None) -> dict[str, ModelFile]:
    """Heads of the shipped pack, by role, for the roles that `pack` brings no file for.

    Args:
        pack: who borrows.
        folders: where the shipped pack may lie; without it, or without its files, nothing is lent.

    Raises:
        PackError: the shipped pack's manifest is wrong.
    """
    for folder in _shipped_folders() if folders is None else folders:
        manifest = folder / DEFAULT_PACK / MANIFEST
        if manifest.is_file():
            # Its other files are not asked for: a small image may have left them out.
            files = _from_manifest(manifest).files
            missing = [role for role in HEAD_ROLES if role in files and role not in pack.files]
            return {role: files[role] for role in missing if files[role].path.is_file()}
    return {}


def calibration_for(pack: ModelPack) -> Calibration:
    """The pack's own curve, else a built-in one made for the same weights, else the generic one.

    A curve that names another recogniser or landmark head than the pack's does not count.

    Raises:
        PolicyError: the pack's calibration file is wrong.
    """
    weights = sha256_of(pack.files["recognition"].path), landmarks_sha256(pack)
    if pack.calibration is not None:
        own = load_calibration(pack.calibration)
        # A curve made for other weights promises what nobody measured: after a change of the recogniser, or of how
        # faces are aligned for it, the strictest curve is the honest one until a new curve is made.
        return own if not own.recogniser_sha256 or _made_for(own) == weights else GENERIC_STRICT
    for path in sorted(_BUILT_IN_CALIBRATIONS.glob("*.json")):
        calibration = load_calibration(path)
        if _made_for(calibration) == weights:
            return calibration
    return GENERIC


def landmarks_sha256(pack: ModelPack) -> str:
    """Hex SHA-256 of the pack's landmark head, "" where it has none."""
    head = pack.files.get("landmarks")
    return sha256_of(head.path) if head else ""


def _made_for(calibration: Calibration) -> tuple[str, str]:
    return calibration.recogniser_sha256, calibration.landmarks_sha256


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _shipped_folders() -> tuple[Path, Path]:
    # Inside the wheel the packs lie in the package; in a checkout (editable install) beside it.
    package = Path(__file__).parent
    return package / "models", package.parent / "models"


def _home(path: str) -> list[Path]:
    try:
        return [Path(path).expanduser()]
    except RuntimeError:  # a container's user often has no home
        return []


def _subfolders(folder: Path) -> list[Path]:
    try:
        return [folder, *sorted(entry for entry in folder.iterdir() if entry.is_dir())]
    except OSError:  # most of the folders that are searched do not exist
        return []


def _looks_like_pack(folder: Path) -> bool:
    return (folder / MANIFEST).is_file() or any(folder.glob("*.onnx"))


def _require_model(path: Path) -> None:
    """Tell apart the ways in which a model file is often not one; what is inside is for the loader to judge."""
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


def _from_manifest(manifest: Path) -> ModelPack:
    folder = manifest.parent
    try:
        content = tomllib.loads(manifest.read_text("utf-8"))
        roles = {
            str(role): ModelFile(folder / str(entry["file"]), str(entry.get("sha256", "")))
            for role, entry in content["roles"].items()
        }
        licence = content.get("licence", {})
        calibration = content.get("calibration")
        return ModelPack(
            name=str(content["name"]),
            version=str(content.get("version", "")),
            folder=folder,
            files=roles,
            licence=str(licence.get("id", "")),
            commercial_use=licence.get("commercial_use"),
            calibration=folder / str(calibration) if calibration else _calibration_in(folder),
            mirror=bool(content["roles"].get("recognition", {}).get("mirror", False)),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackError(
            f"{manifest}: not a valid manifest ({type(error).__name__}: {error}); see docs/model-packs.md"
        ) from None


def _from_plain_folder(folder: Path) -> ModelPack:
    """Tell the roles by the graphs alone, the way insightface does (its `ModelRouter`)."""
    import onnx

    files: dict[str, ModelFile] = {}
    for path in sorted(folder.glob("*.onnx")):
        _require_model(path)
        try:
            graph = onnx.load_model(str(path), load_external_data=False).graph
        except Exception as error:  # protobuf raises its own DecodeError, by version from various modules
            raise PackError(f"{path}: damaged or no ONNX model ({type(error).__name__}); copy it there again") from None
        # Graphs of old exporters list their weights among the inputs.
        weights = {entry.name for entry in graph.initializer}
        inputs = [entry for entry in graph.input if entry.name not in weights]
        shape = [dim.dim_value for dim in inputs[0].type.tensor_type.shape.dim] if inputs else []
        if len(graph.output) >= 5:
            files.setdefault("detection", ModelFile(path))
        elif len(inputs) == 1 and len(shape) == 4 and shape[2] == shape[3] and shape[2] in _RECOGNISER_SIDES:
            files.setdefault("recognition", ModelFile(path))
    return ModelPack(name=folder.name, version="", folder=folder, files=files, calibration=_calibration_in(folder))


def _calibration_in(folder: Path) -> Path | None:
    """What `facematch calibrate` wrote, where it was put into the pack."""
    path = folder / CALIBRATION
    return path if path.is_file() else None


def _open_heads(pack: ModelPack, settings: SessionSettings) -> Heads:
    occlusion, recapture, document, copy = (pack.files.get(role) for role in HEAD_ROLES)
    return Heads(
        OcclusionHead(_session(occlusion.path, settings), str(occlusion.path)) if occlusion else None,
        RecaptureHead(_session(recapture.path, settings), str(recapture.path)) if recapture else None,
        DocumentHead(_session(document.path, settings), str(document.path)) if document else None,
        CopyHead(_session(copy.path, settings), str(copy.path)) if copy else None,
    )


def _open_landmark_head(pack: ModelPack, settings: SessionSettings) -> LandmarkHead | None:
    def works(head: LandmarkHead) -> bool:
        points = head.predict(np.full((LANDMARK_SIZE, LANDMARK_SIZE, 3), 127, np.uint8))
        return points.shape == (5, 2) and bool(np.isfinite(points).all())

    return _open_tried(pack, "landmarks", LandmarkHead, works, settings)


def _open_confirmation_head(pack: ModelPack, settings: SessionSettings) -> ConfirmationHead | None:
    def works(head: ConfirmationHead) -> bool:
        grey, box = np.full((32, 32, 3), 127, np.uint8), np.array([8, 8, 24, 24], np.float32)
        return 0 <= head.confirm(grey, box, 0.5) <= 1

    return _open_tried(pack, "confirmation", ConfirmationHead, works, settings)


def _open_tried(
    pack: ModelPack,
    role: str,
    kind: Callable[[InferenceSession, str], _Head],
    works: Callable[[_Head], bool],
    settings: SessionSettings,
) -> _Head | None:
    """The pack's head of a role that every photo needs, tried out: it must not fail at the first request."""
    file = pack.files.get(role)
    if file is None:
        return None
    head = kind(_session(file.path, settings), str(file.path))
    try:
        good = works(head)
    except Exception as error:  # ONNX Runtime's exceptions derive from Exception directly
        raise PackError(f"{file.path}: does not work as a head for {role} ({type(error).__name__})") from None
    if not good:
        raise PackError(f"{file.path}: gives nothing usable for {role}")
    return head


def _session(path: Path, settings: SessionSettings) -> InferenceSession:
    import onnxruntime

    try:
        return onnxruntime.InferenceSession(str(path), _options(settings), providers=list(settings.providers))
    except Exception as error:  # ONNX Runtime's exceptions derive from Exception directly
        raise _cannot_open(path, error) from None


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


def _open(pack: ModelPack, role: str, settings: SessionSettings) -> object:
    from insightface.model_zoo import get_model

    path = pack.files[role].path
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
    if getattr(model, "taskname", None) != role:
        raise PackError(f"{path}: insightface does not take this model for {role}; see {MANIFEST}")
    return cast(object, model)


def _require_providers(settings: SessionSettings) -> None:
    # ONNX Runtime itself falls back to the CPU with no more than a line in its log.
    import onnxruntime

    missing = set(settings.providers) - set(onnxruntime.get_available_providers())
    if missing:
        raise PackError(
            f"ONNX Runtime has no {', '.join(sorted(missing))} here; install the onnxruntime package that brings it"
        )


def _try_out(pack: ModelPack, analyser: FaceAnalyser) -> None:
    """Run both models once: one that opens may still not do what its role asks."""
    detection, recognition = pack.files["detection"].path, pack.files["recognition"].path
    if not getattr(analyser.detector, "use_kps", False):
        raise PackError(f"{detection}: finds no landmarks; a detector with five landmarks is needed")
    blank = np.full((120, 160, 3), 127, np.uint8)
    try:
        analyser.find(blank)
    except Exception as error:  # whatever it is, the model is not a detector insightface can use
        raise PackError(f"{detection}: does not work as a detector ({type(error).__name__})") from None
    side = analyser.recogniser.input_size[0]
    if side not in _RECOGNISER_SIDES:
        raise PackError(f"{recognition}: takes {side}x{side} pixels; faces can be aligned to {_RECOGNISER_SIDES}")
    try:
        features = analyser.recogniser.get_feat([np.full((side, side, 3), 127, np.uint8)])
    except Exception as error:
        raise PackError(f"{recognition}: does not work as a recogniser ({type(error).__name__})") from None
    if features.ndim != 2 or len(features) != 1 or features.shape[1] < 2 or not np.isfinite(features).all():
        raise PackError(f"{recognition}: gives no embedding for a crop")
