"""The optional networks of a pack, one module each.

`landmarks` and `face_filter` serve the search for faces; the others answer checks, and `Networks` holds them together.
A new network is one module with a subclass of `Network` and one entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from facematch_local.networks.base import Network
from facematch_local.networks.document import DocumentNetwork
from facematch_local.networks.face_filter import FaceFilterNetwork
from facematch_local.networks.landmarks import LandmarkNetwork
from facematch_local.networks.occlusion import OcclusionNetwork
from facematch_local.networks.photocopy import PhotocopyNetwork
from facematch_local.networks.recapture import RecaptureNetwork

__all__ = ["TASKS", "Network", "Networks"]

TASKS: Final[Mapping[str, type[Network]]] = MappingProxyType(
    {
        network.TASK: network
        for network in (
            LandmarkNetwork,
            FaceFilterNetwork,
            OcclusionNetwork,
            RecaptureNetwork,
            DocumentNetwork,
            PhotocopyNetwork,
        )
    }
)
"""Every optional task of a pack, and the network that does it."""


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks in use for checks, the pack's own or the fallback ones; None where there is none."""

    occlusion: OcclusionNetwork | None = None
    recapture: RecaptureNetwork | None = None
    document: DocumentNetwork | None = None
    photocopy: PhotocopyNetwork | None = None
