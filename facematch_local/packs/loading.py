"""Loading of a pack: verification, opening, trial run, and the calibration curve of its recogniser."""

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
from facematch_local.networks.texture import TextureNetwork
from facematch_local.packs.expectations import Expectations, read_expectations
from facematch_local.packs.files import RECOGNISER_SIDES, sha256_of, verify_files, verify_pack
from facematch_local.packs.model_pack import ModelPack
from facematch_local.packs.search import SHIPPED, fallback_networks
from facematch_local.packs.sessions import SessionSettings, open_again, open_session, open_with_insightface
from facematch_local.providers import Execution, Provider, choose, installed

_Network = TypeVar("_Network", bound=Network)

_BUILT_IN_CALIBRATIONS: Final = Path(__file__).parents[1] / "calibrations"


@dataclass(frozen=True, slots=True)
class LoadedPack:
    """A pack ready for use.

    Attributes:
        pack: the description of the pack.
        analyser: its detector and recogniser, with landmark network and face filter if the pack has them.
        calibration: calibration curve of the recogniser.
        networks: the networks for checks, the pack's own and the fallback networks.
        fallback: tasks for which the shipped pack provides the network.
        expectations: how often each verdict is right, as far as the pack states it.
        execution: the execution provider of detector and recogniser; the networks run on the CPU.
    """

    pack: ModelPack
    analyser: FaceAnalyser
    calibration: Calibration
    networks: Networks = field(default_factory=Networks)
    fallback: tuple[str, ...] = ()
    expectations: Expectations | None = None
    execution: Execution = field(default_factory=Execution)


def load_pack(
    pack: ModelPack,
    sessions: SessionSettings | None = None,
    detection: DetectionSettings | None = None,
    *,
    fallback: bool = True,
) -> LoadedPack:
    """Verify a pack, open its models and run each required model once.

    Args:
        pack: the pack to open.
        sessions: settings of ONNX Runtime; default `SessionSettings()`.
        detection: settings of the search for faces; default the pack's own.
        fallback: use the shipped pack's networks for checks that the pack has no network for. Their crops depend only
            on five landmarks or the face box, so they work with any detector.

    Raises:
        PackError: a file of the pack or of the fallback networks is damaged or is not a model for its task.
        PolicyError: the pack's calibration file is invalid.
        ProviderError: none of the asked execution providers can be used.
    """
    expectations = read_expectations(pack.folder)
    fallback_files = fallback_networks(pack) if fallback else {}
    verify_pack(pack)
    try:
        verify_files(fallback_files)
    except PackError as error:
        raise PackError(f"a network of {SHIPPED}, the fallback for {pack.name}: {error}") from None
    sessions = sessions or SessionSettings()
    detector = cast(Detector, open_with_insightface(pack, "detection", sessions))
    recogniser = cast(Recogniser, open_with_insightface(pack, "recognition", sessions))
    analyser = FaceAnalyser(
        detector,
        recogniser,
        detection or _detection_settings(pack),
        mirror=pack.mirror,
        locator=_open_network(pack, LandmarkNetwork, sessions),
        face_filter=_open_network(pack, FaceFilterNetwork, sessions),
    )
    _try_out(pack, analyser)
    analyser, execution = _on_provider(pack, analyser, sessions)
    networks = open_networks(replace(pack, files={**pack.files, **fallback_files}), sessions)
    return LoadedPack(pack, analyser, calibration_for(pack), networks, tuple(fallback_files), expectations, execution)


def _on_provider(pack: ModelPack, analyser: FaceAnalyser, sessions: SessionSettings) -> tuple[FaceAnalyser, Execution]:
    """Detector and recogniser on the asked execution provider; `analyser` runs on the CPU."""
    if sessions.providers.only_cpu:
        return analyser, Execution()
    models = {"detection": analyser.detector, "recognition": analyser.recogniser}

    def opened_on(provider: Provider) -> FaceAnalyser:
        detector, recogniser = (
            open_again(pack.files[task].path, model, provider, sessions) for task, model in models.items()
        )
        return replace(analyser, detector=cast(Detector, detector), recogniser=cast(Recogniser, recogniser))

    return choose(sessions.providers, installed(), analyser, opened_on)


def _detection_settings(pack: ModelPack) -> DetectionSettings:
    default = DetectionSettings()
    return replace(
        default,
        confirm_below=default.confirm_below if pack.confirm_below is None else pack.confirm_below,
        landmark_looks=pack.landmark_looks or default.landmark_looks,
    )


def calibration_for(pack: ModelPack) -> Calibration:
    """Choose the calibration curve: the pack's own, else a built-in one for the same weights, else the generic one.

    If the pack's own curve names another recogniser or landmark network, the result is the strict generic curve.

    Raises:
        PolicyError: the pack's calibration file is invalid.
    """
    weights = (
        sha256_of(pack.files["recognition"].path),
        landmarks_sha256(pack),
        pack.landmark_looks or DetectionSettings().landmark_looks,
        pack.mirror,
    )
    if pack.calibration is not None:
        own = load_calibration(pack.calibration)
        # A curve for other weights states error rates that were not measured. After a change of the recogniser or of
        # the alignment, use the strictest curve until the pack is calibrated again.
        return own if not own.recogniser_sha256 or _made_for(own) == weights else GENERIC_STRICT
    for path in sorted(_BUILT_IN_CALIBRATIONS.glob("*.json")):
        calibration = load_calibration(path)
        if _made_for(calibration) == weights:
            return calibration
    return GENERIC


def landmarks_sha256(pack: ModelPack) -> str:
    """Hex SHA-256 of the pack's landmark network; "" if the pack has none."""
    network = pack.files.get("landmarks")
    return sha256_of(network.path) if network else ""


def _made_for(calibration: Calibration) -> tuple[str, str, int, bool]:
    """Everything that an embedding depends on: weights, alignment and mirroring."""
    return (
        calibration.recogniser_sha256,
        calibration.landmarks_sha256,
        calibration.landmark_looks,
        calibration.mirror,
    )


def open_networks(pack: ModelPack, settings: SessionSettings) -> Networks:
    """Open a pack's networks for checks.

    Raises:
        PackError: a file is not a network for its task.
    """
    return Networks(
        occlusion=_open_network(pack, OcclusionNetwork, settings),
        recapture=_open_network(pack, RecaptureNetwork, settings),
        texture=_open_network(pack, TextureNetwork, settings),
        document=_open_network(pack, DocumentNetwork, settings),
        photocopy=_open_network(pack, PhotocopyNetwork, settings),
    )


def _open_network(pack: ModelPack, network: type[_Network], settings: SessionSettings) -> _Network | None:
    """Open the pack's network for a task and run it once; None if the pack has no file for the task."""
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
    """Run detector and recogniser once: a model that opens may still be unusable for its task."""
    detection, recognition = pack.files["detection"].path, pack.files["recognition"].path
    if not getattr(analyser.detector, "use_kps", False):
        raise PackError(f"{detection}: the detector returns no landmarks; use a detector with five landmarks")
    blank = np.full((120, 160, 3), 127, np.uint8)
    try:
        analyser.find(blank)
    except Exception as error:  # any exception: insightface cannot use the model as a detector
        raise PackError(f"{detection}: does not work as a detector ({type(error).__name__})") from None
    side = analyser.recogniser.input_size[0]
    if side not in RECOGNISER_SIDES:
        raise PackError(f"{recognition}: the input is {side}x{side} pixels; supported sides are {RECOGNISER_SIDES}")
    try:
        features = analyser.recogniser.get_feat([np.full((side, side, 3), 127, np.uint8)])
    except Exception as error:
        raise PackError(f"{recognition}: does not work as a recogniser ({type(error).__name__})") from None
    if features.ndim != 2 or len(features) != 1 or features.shape[1] < 2 or not np.isfinite(features).all():
        raise PackError(f"{recognition}: returns no embedding for a crop")
