"""A pack ready for use: verified, opened, tried out, with the curve for its recogniser."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar, cast

import numpy as np

from facematch_local.calibration import GENERIC, GENERIC_STRICT, Calibration, load_calibration
from facematch_local.errors import PackError
from facematch_local.faces import DetectionSettings, Detector, FaceAnalyser, Recogniser
from facematch_local.networks import Network, Networks
from facematch_local.networks.document import DocumentNetwork
from facematch_local.networks.face_filter import FaceFilterNetwork
from facematch_local.networks.landmarks import LandmarkNetwork
from facematch_local.networks.occlusion import OcclusionNetwork
from facematch_local.networks.photocopy import PhotocopyNetwork
from facematch_local.networks.recapture import RecaptureNetwork
from facematch_local.packs.manifest import RECOGNISER_SIDES, ModelPack, sha256_of, verify_files, verify_pack
from facematch_local.packs.search import SHIPPED, fallback_networks
from facematch_local.packs.sessions import SessionSettings, open_session, open_with_insightface, require_providers

_Network = TypeVar("_Network", bound=Network)

_BUILT_IN_CALIBRATIONS: Final = Path(__file__).parents[1] / "calibrations"


@dataclass(frozen=True, slots=True)
class LoadedPack:
    """A pack ready for use.

    Attributes:
        pack: what it says of itself.
        analyser: its detector, recogniser and, if it has them, landmark network and face filter.
        calibration: the curve for its recogniser.
        networks: the networks for checks, its own and the fallback ones.
        fallback: tasks of the networks that are the shipped pack's, since it brings none.
    """

    pack: ModelPack
    analyser: FaceAnalyser
    calibration: Calibration
    networks: Networks = field(default_factory=Networks)
    fallback: tuple[str, ...] = ()


def load_pack(
    pack: ModelPack,
    sessions: SessionSettings | None = None,
    detection: DetectionSettings | None = None,
    *,
    fallback: bool = True,
) -> LoadedPack:
    """Verify a pack and open its sessions through `insightface.model_zoo`.

    Args:
        pack: what to open.
        sessions: how ONNX Runtime runs.
        detection: how faces are looked for; default as the pack states it.
        fallback: use the shipped pack's networks for checks where the pack brings none. They look at a crop by five
            landmarks, so they work with any detector.

    Raises:
        PackError: a file, of the pack or of the fallback networks, is damaged or is not a model for its task.
    """
    fallback_files = fallback_networks(pack) if fallback else {}
    verify_pack(pack)
    try:
        verify_files(fallback_files)
    except PackError as error:
        raise PackError(f"a network of {SHIPPED}, the fallback for {pack.name}: {error}") from None
    sessions = sessions or SessionSettings()
    require_providers(sessions)
    detector = cast(Detector, open_with_insightface(pack, "detection", sessions))
    recogniser = cast(Recogniser, open_with_insightface(pack, "recognition", sessions))
    analyser = FaceAnalyser(
        detector,
        recogniser,
        detection or _detection_settings(pack),
        mirror=pack.mirror,
        locator=_open_network(pack, LandmarkNetwork, sessions),
        confirmer=_open_network(pack, FaceFilterNetwork, sessions),
    )
    _try_out(pack, analyser)
    networks = open_networks(replace(pack, files={**pack.files, **fallback_files}), sessions)
    return LoadedPack(pack, analyser, calibration_for(pack), networks, tuple(fallback_files))


def _detection_settings(pack: ModelPack) -> DetectionSettings:
    default = DetectionSettings()
    return replace(
        default,
        confirm_below=default.confirm_below if pack.confirm_below is None else pack.confirm_below,
        landmark_looks=pack.landmark_looks or default.landmark_looks,
    )


def calibration_for(pack: ModelPack) -> Calibration:
    """The pack's own curve, else a built-in one made for the same weights, else the generic one.

    A curve that names another recogniser or landmark network than the pack's does not count.

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
    """Hex SHA-256 of the pack's landmark network, "" where it has none."""
    network = pack.files.get("landmarks")
    return sha256_of(network.path) if network else ""


def _made_for(calibration: Calibration) -> tuple[str, str, int, bool]:
    """Everything an embedding depends on: weights, and how a face is aligned and embedded."""
    return (
        calibration.recogniser_sha256,
        calibration.landmarks_sha256,
        calibration.landmark_looks,
        calibration.mirror,
    )


def open_networks(pack: ModelPack, settings: SessionSettings) -> Networks:
    """Open the networks for checks that a pack has files for.

    Raises:
        PackError: a file is not a network for its task.
    """
    return Networks(
        occlusion=_open_network(pack, OcclusionNetwork, settings),
        recapture=_open_network(pack, RecaptureNetwork, settings),
        document=_open_network(pack, DocumentNetwork, settings),
        photocopy=_open_network(pack, PhotocopyNetwork, settings),
    )


def _open_network(pack: ModelPack, network: type[_Network], settings: SessionSettings) -> _Network | None:
    """The pack's network for a task, tried out; None where the pack has no file for it."""
    file = pack.files.get(network.TASK)
    if file is None:
        return None
    opened = network(open_session(file.path, settings), str(file.path))
    try:
        works = opened.works()
    except Exception as error:  # ONNX Runtime's exceptions derive from Exception directly
        raise PackError(f"{file.path}: fails at the task {network.TASK} ({type(error).__name__})") from None
    if not works:
        raise PackError(f"{file.path}: gives no usable output for the task {network.TASK}")
    return opened


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
