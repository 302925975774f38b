"""The optional networks of a pack, one module each.

`landmarks` and `face_filter` serve the search for faces; the others answer what checks ask, and are held together by
`Networks`.
"""

from __future__ import annotations

from dataclasses import dataclass

from facematch_local.networks.document import DocumentNetwork
from facematch_local.networks.occlusion import OcclusionNetwork
from facematch_local.networks.photocopy import PhotocopyNetwork
from facematch_local.networks.recapture import RecaptureNetwork

__all__ = ["Networks"]


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks in use for checks, the pack's own or fallback ones; None where there is none."""

    occlusion: OcclusionNetwork | None = None
    recapture: RecaptureNetwork | None = None
    document: DocumentNetwork | None = None
    photocopy: PhotocopyNetwork | None = None
