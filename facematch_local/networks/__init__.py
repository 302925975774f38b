"""The optional networks of a pack, one module per network.

`landmarks` and `face_filter` serve the search for faces. The others serve checks; `Networks` holds them. A new network
needs one module with a subclass of `Network` and one entry in `TASKS`.
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
"""Each optional task of a pack, and the class of its network."""


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks that the checks use: the pack's own or the fallback networks; None for a missing one."""

    occlusion: OcclusionNetwork | None = None
    recapture: RecaptureNetwork | None = None
    document: DocumentNetwork | None = None
    photocopy: PhotocopyNetwork | None = None
