"""Detection, alignment and embedding of faces."""

from __future__ import annotations

from facematch_local.faces.analyser import FaceAnalyser
from facematch_local.faces.face import Face, cosine, head_axes, portrait_corners
from facematch_local.faces.models import Detector, FaceConfirmer, LandmarkLocator, Recogniser
from facematch_local.faces.settings import DetectionSettings

__all__ = [
    "DetectionSettings",
    "Detector",
    "Face",
    "FaceAnalyser",
    "FaceConfirmer",
    "LandmarkLocator",
    "Recogniser",
    "cosine",
    "head_axes",
    "portrait_corners",
]
