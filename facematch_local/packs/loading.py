"""A pack ready for use: verified, opened, tried out, with the curve for its recogniser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, cast

import numpy as np

from facematch_local.calibration import GENERIC, GENERIC_STRICT, Calibration, load_calibration
from facematch_local.errors import PackError
from facematch_local.faces import DetectionSettings, Detector, FaceAnalyser, Recogniser
from facematch_local.networks import Networks
from facematch_local.networks.document import DocumentNetwork
from facematch_local.networks.face_filter import FaceFilterNetwork
from facematch_local.networks.landmarks import LANDMARK_SIZE, LandmarkNetwork
from facematch_local.networks.occlusion import OcclusionNetwork
from facematch_local.networks.photocopy import PhotocopyNetwork
from facematch_local.networks.recapture import RecaptureNetwork
from facematch_local.packs.manifest import RECOGNISER_SIDES, ModelPack, sha256_of, verify_files, verify_pack
from facematch_local.packs.search import SHIPPED, lent_heads
from facematch_local.packs.sessions import SessionSettings, open_session, open_with_insightface, require_providers

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_Head = TypeVar("_Head")

_BUILT_IN_CALIBRATIONS: Final = Path(__file__).parents[1] / "calibrations"


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
    heads: Networks = field(default_factory=Networks)
    lent: tuple[str, ...] = ()


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
        detection: how faces are looked for; default as the pack states it.
        lend_heads: use the shipped pack's heads for warnings where the pack brings none. A head looks at a crop by five
            landmarks, whoever found them, and finds more than the classical measures.

    Raises:
        PackError: a file, of the pack or a lent one, is damaged or is not the model its role says.
    """
    lent = lent_heads(pack) if lend_heads else {}
    verify_pack(pack)
    try:
        verify_files(lent)
    except PackError as error:
        raise PackError(f"a head that {SHIPPED} lends to {pack.name}: {error}") from None
    sessions = sessions or SessionSettings()
    require_providers(sessions)
    detector = cast(Detector, open_with_insightface(pack, "detection", sessions))
    recogniser = cast(Recogniser, open_with_insightface(pack, "recognition", sessions))
    locator = _open_landmark_head(pack, sessions)
    analyser = FaceAnalyser(
        detector,
        recogniser,
        detection or _detection_settings(pack),
        mirror=pack.mirror,
        locator=locator,
        confirmer=_open_confirmation_head(pack, sessions),
    )
    _try_out(pack, analyser)
    heads = open_heads(replace(pack, files={**pack.files, **lent}), sessions)
    return LoadedPack(pack, analyser, calibration_for(pack), heads, tuple(lent))


def _detection_settings(pack: ModelPack) -> DetectionSettings:
    default = DetectionSettings()
    return replace(
        default,
        confirm_below=default.confirm_below if pack.confirm_below is None else pack.confirm_below,
        landmark_looks=pack.landmark_looks or default.landmark_looks,
    )


def calibration_for(pack: ModelPack) -> Calibration:
    """The pack's own curve, else a built-in one made for the same weights, else the generic one.

    A curve that names another recogniser or landmark head than the pack's does not count.

    Raises:
        PolicyError: the pack's calibration file is wrong.
    """
    weights = (
        sha256_of(pack.files["recognition"].path),
        landmarks_sha256(pack),
        pack.landmark_looks or DetectionSettings().landmark_looks,
        pack.mirror,
    )
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


def _made_for(calibration: Calibration) -> tuple[str, str, int, bool]:
    """What an embedding depends on: weights, and how a face is aligned and embedded."""
    return (
        calibration.recogniser_sha256,
        calibration.landmarks_sha256,
        calibration.landmark_looks,
        calibration.mirror,
    )


def open_heads(pack: ModelPack, settings: SessionSettings) -> Networks:
    """Open the heads for warnings that a pack has files for.

    Raises:
        PackError: one is not the model that its role asks for.
    """
    occlusion, recapture, document, copy = (
        pack.files.get(role) for role in ("occlusion", "recapture", "document", "copy")
    )
    return Networks(
        OcclusionNetwork(open_session(occlusion.path, settings), str(occlusion.path)) if occlusion else None,
        RecaptureNetwork(open_session(recapture.path, settings), str(recapture.path)) if recapture else None,
        DocumentNetwork(open_session(document.path, settings), str(document.path)) if document else None,
        PhotocopyNetwork(open_session(copy.path, settings), str(copy.path)) if copy else None,
    )


def _open_landmark_head(pack: ModelPack, settings: SessionSettings) -> LandmarkNetwork | None:
    def works(head: LandmarkNetwork) -> bool:
        points = head.predict(np.full((LANDMARK_SIZE, LANDMARK_SIZE, 3), 127, np.uint8))
        return points.shape == (5, 2) and bool(np.isfinite(points).all())

    return _open_tried(pack, "landmarks", LandmarkNetwork, works, settings)


def _open_confirmation_head(pack: ModelPack, settings: SessionSettings) -> FaceFilterNetwork | None:
    def works(head: FaceFilterNetwork) -> bool:
        grey, box = np.full((32, 32, 3), 127, np.uint8), np.array([8, 8, 24, 24], np.float32)
        return 0 <= head.confirm(grey, box, 0.5) <= 1

    return _open_tried(pack, "confirmation", FaceFilterNetwork, works, settings)


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
    head = kind(open_session(file.path, settings), str(file.path))
    try:
        good = works(head)
    except Exception as error:  # ONNX Runtime's exceptions derive from Exception directly
        raise PackError(f"{file.path}: does not work as a head for {role} ({type(error).__name__})") from None
    if not good:
        raise PackError(f"{file.path}: gives nothing usable for {role}")
    return head


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
    if side not in RECOGNISER_SIDES:
        raise PackError(f"{recognition}: takes {side}x{side} pixels; faces can be aligned to {RECOGNISER_SIDES}")
    try:
        features = analyser.recogniser.get_feat([np.full((side, side, 3), 127, np.uint8)])
    except Exception as error:
        raise PackError(f"{recognition}: does not work as a recogniser ({type(error).__name__})") from None
    if features.ndim != 2 or len(features) != 1 or features.shape[1] < 2 or not np.isfinite(features).all():
        raise PackError(f"{recognition}: gives no embedding for a crop")
