"""The optional networks of a pack, one module per network.

`landmarks` and `face_filter` serve the search for faces. The others serve checks; `Networks` holds them. A new network
for a check needs one module with a subclass of `Network`, one entry in `TASKS`, one field in `Networks`, one line in
`packs.loading.open_networks` and, if packs without it shall use the shipped one, its task in
`packs.search.FALLBACK_TASKS`.
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
from facematch_local.networks.texture import TextureNetwork

__all__ = ["TASKS", "Network", "Networks"]

TASKS: Final[Mapping[str, type[Network]]] = MappingProxyType(
    {
        network.TASK: network
        for network in (
            LandmarkNetwork,
            FaceFilterNetwork,
            OcclusionNetwork,
            RecaptureNetwork,
            TextureNetwork,
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
    texture: TextureNetwork | None = None
    document: DocumentNetwork | None = None
    photocopy: PhotocopyNetwork | None = None
