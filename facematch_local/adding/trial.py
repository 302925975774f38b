"""Trial of a pack on a photo of six people: whether it finds and distinguishes them.

A recogniser that opens and returns embeddings may still be useless. If it normalises its input, which insightface does
as well, its input is almost uniform grey. If it expects another channel order or alignment, its input differs from its
training data. Only the cosines reveal such errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.errors import PackError
from facematch_local.faces import Face, FaceAnalyser, cosine
from facematch_local.packs.loading import LoadedPack

if TYPE_CHECKING:
    from onnx import NodeProto

PEOPLE: Final = 6
"""Number of people in the photo."""
_FEWEST_FACES: Final = 4
# Smallest difference between the lowest cosine of one person and the highest of two people. Packs that work have 0.42
# or more (compact's detector and recogniser without its landmark network 0.42, compact 0.47, SFace 0.53, buffalo_sc
# 0.61); SFace normalised twice has -0.23.
_LEAST_GAP: Final = 0.25


@dataclass(frozen=True, slots=True)
class Trial:
    """Result of a trial.

    Attributes:
        faces: number of faces found, out of `PEOPLE`.
        same: lowest cosine between a person and the same person in the darkened, blurred or mirrored photo.
        other: highest cosine between two people.
    """

    faces: int
    same: float
    other: float


def try_out(loaded: LoadedPack) -> Trial:
    """Find and embed six people in a photo that insightface ships, and in degraded versions of it.

    Raises:
        PackError: the pack does not find the faces or does not distinguish the people.
    """
    from insightface.data import get_image

    analyser, files = loaded.analyser, loaded.pack.files
    photo: NDArray[np.uint8] = get_image("t1")
    known = _embedded(analyser, photo)
    if len(known) < _FEWEST_FACES:
        raise PackError(
            f"{files['detection'].path}: finds {len(known)} of the {PEOPLE} faces in the trial photo; "
            "use a detector of insightface's SCRFD family with five landmarks"
        )
    if cosine(known[0], analyser.embed(photo, known[0])) < 0.999:
        raise PackError(f"{files['recognition'].path}: returns different embeddings for the same crop")
    same, other = [1.0], [cosine(a, b) for at, a in enumerate(known) for b in known[:at]]
    for changed, mirrored in _changed(photo):
        for face in _embedded(analyser, changed):
            cosines = [cosine(face, each) for each in known]
            at = _nearest(face, known, photo.shape[1] if mirrored else None)
            same.append(cosines.pop(at))
            other += cosines
    trial = Trial(len(known), min(same), max(other))
    if not trial.same - trial.other >= _LEAST_GAP:
        raise PackError(
            f"{files['recognition'].path}: does not distinguish the people in the trial photo (lowest cosine of one "
            f"person with the degraded photo: {trial.same:.2f}; highest cosine of two people: {trial.other:.2f}); "
            f"{_likely_reason(loaded)}"
        )
    return trial


def _embedded(analyser: FaceAnalyser, photo: NDArray[np.uint8]) -> list[Face]:
    return [analyser.embed(photo, face) for face in analyser.find(photo)]


def _changed(photo: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.uint8], bool]]:
    """The photo darkened, blurred and mirrored, and whether it is mirrored."""
    import cv2

    yield (photo * 0.55).astype(np.uint8), False
    yield np.asarray(cv2.GaussianBlur(photo, (0, 0), 1.5), np.uint8), False
    yield np.ascontiguousarray(photo[:, ::-1]), True


def _nearest(face: Face, known: list[Face], width: int | None) -> int:
    """Index of the known face nearest to the position of `face`; `width` is that of a mirrored photo, else None."""
    x, y = face.eye_midpoint
    x = x if width is None else width - 1 - x
    return min(range(len(known)), key=lambda at: float(np.hypot(*(known[at].eye_midpoint - (x, y)))))


def _likely_reason(loaded: LoadedPack) -> str:
    import onnx

    path = loaded.pack.files["recognition"].path
    first = onnx.load_model(str(path), load_external_data=False).graph.node
    std = float(getattr(loaded.analyser.recogniser, "input_std", 1.0))
    if std != 1.0 and _normalises(list(first)):
        return (
            "it seems to normalise its input, which insightface does as well: name the two nodes that normalise "
            "'Sub_mean' and 'Mul_scale' and place them among the first eight, or export the model without them"
        )
    return (
        "it expects another input than insightface passes to an ArcFace model (RGB, (value - 127.5) / 127.5, "
        "aligned by five landmarks), or is not a face recogniser"
    )


def _normalises(nodes: list[NodeProto]) -> bool:
    """Whether the nodes before the first layer apply arithmetic to the input; nodes that widen weights do not count."""
    for node in nodes:
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            return False
        if node.op_type in ("Sub", "Add", "Mul", "Div"):
            return True
    return False
