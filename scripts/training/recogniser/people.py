"""Training, validation and test people. Test is what the shared split holds out; validation is cut off the rest."""

from __future__ import annotations

import enum
import hashlib

import numpy as np

from scripts.training.common.image import Array
from scripts.training.recogniser.data import Faces

VALIDATION_SHARE = 0.04
VALIDATION_ASIAN = ("asian_faces/p01", "asian_faces/p05")


class Part(enum.IntEnum):
    TRAINING, VALIDATION, TEST = range(3)


def part_of(faces: Faces) -> Array:
    """`Part` of every face [N]; a person is in one part only."""
    parts = np.full(len(faces.path), int(Part.TRAINING))
    for i, person in enumerate(faces.person):
        by_hash = hashlib.sha256(str(person).encode()).digest()[1] < 256 * VALIDATION_SHARE
        if person in VALIDATION_ASIAN or (faces.source[i] == "lfw" and by_hash):
            parts[i] = int(Part.VALIDATION)
    parts[faces.held_out] = int(Part.TEST)
    return parts
