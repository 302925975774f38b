"""Detection, alignment and embedding of faces."""

from __future__ import annotations

from facematch_local.faces.analyser import FaceAnalyser
from facematch_local.faces.face import Face, cosine, head_axes, portrait_corners
from facematch_local.faces.interfaces import Detector, FaceFilter, LandmarkLocator, Recogniser
from facematch_local.faces.settings import DetectionSettings

__all__ = [
    "DetectionSettings",
    "Detector",
    "Face",
    "FaceAnalyser",
    "FaceFilter",
    "LandmarkLocator",
    "Recogniser",
    "cosine",
    "head_axes",
    "portrait_corners",
]
