"""Try a pack on a photo of six people: are they found, and told apart?

A recogniser that opens and gives embeddings may still be of no use: one that normalises its input itself, where
insightface does so too, sees nothing but grey; one that wants another order of channels or another alignment sees
something else than it was trained for. Of all these only the cosines tell.
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
"""How many people the photo shows."""
_FEWEST_FACES: Final = 4
# Packs that work leave 0.42 and more between a person's changed photos and other people (compact's detector and
# recogniser without its landmark head 0.42, compact 0.47, SFace 0.53, buffalo_sc 0.61); SFace normalised twice: -0.23.
_LEAST_GAP: Final = 0.25


@dataclass(frozen=True, slots=True)
class Trial:
    """How a pack did.

    Attributes:
        faces: faces found, of `PEOPLE`.
        same: the lowest cosine of a person's photo with the same photo darkened, blurred or mirrored.
        other: the highest cosine of two people.
    """

    faces: int
    same: float
    other: float


def try_out(loaded: LoadedPack) -> Trial:
    """Find and embed six people in a photo that insightface ships, and in the same photo made worse.

    Raises:
        PackError: faces are not found, or people are not told apart.
    """
    from insightface.data import get_image

    analyser, files = loaded.analyser, loaded.pack.files
    photo: NDArray[np.uint8] = get_image("t1")
    known = _embedded(analyser, photo)
    if len(known) < _FEWEST_FACES:
        raise PackError(
            f"{files['detection'].path}: finds {len(known)} of the {PEOPLE} faces in the photo it was tried on; "
            "a detector of insightface's SCRFD family with five landmarks is needed"
        )
    if cosine(known[0], analyser.embed(photo, known[0])) < 0.999:
        raise PackError(f"{files['recognition'].path}: gives one crop different embeddings each time")
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
            f"{files['recognition'].path}: does not tell people apart in the photo it was tried on (cosine of one "
            f"person with the photo made worse: {trial.same:.2f} at least; of two people: {trial.other:.2f} at most); "
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
    """Which of the known faces lies at a face's place, in a photo that is mirrored if `width` is given."""
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
            "it seems to normalise the photo itself, where insightface does so too: name the two nodes that do it "
            "'Sub_mean' and 'Mul_scale' and have them among the first eight, or export it without them"
        )
    return (
        "it wants another input than insightface gives an ArcFace model (RGB, (value - 127.5) / 127.5, "
        "aligned by five landmarks), or is no face recogniser"
    )


def _normalises(nodes: list[NodeProto]) -> bool:
    """Whether the nodes before the first layer, weights being widened aside, compute on the photo by numbers alone."""
    for node in nodes:
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            return False
        if node.op_type in ("Sub", "Add", "Mul", "Div"):
            return True
    return False
