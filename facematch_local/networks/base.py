"""A network of a pack: one ONNX file for one question.

It takes pixels as they are (uint8, NHWC, BGR; scaling happens inside the graph) and gives probabilities or points.
Which crops it wants is a *convention*, named in the file's metadata under `METADATA_KEY` and described in the module
of each network. A file made for another convention is refused when the pack is opened, never misread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import numpy as np

from facematch_local.errors import PackError
from facematch_local.faces.alignment import distinct_landmarks, similarity_transform
from facematch_local.imaging.photo import Pixels
from facematch_local.imaging.resampling import averaged, warp

if TYPE_CHECKING:
    from facematch_local.faces import Face

METADATA_KEY: Final = "facematch_convention"


class Session(Protocol):
    """The used part of `onnxruntime.InferenceSession`; several threads may call `run` at once."""

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Any]) -> list[Any]: ...
    def get_inputs(self) -> Sequence[Any]: ...
    def get_outputs(self) -> Sequence[Any]: ...
    def get_modelmeta(self) -> Any: ...


class Network:
    """An open session of a model that was made for the network's convention.

    Args:
        session: an open ONNX Runtime session.
        name: the model's name in errors, such as its path; default the convention.

    Raises:
        PackError: the model was not made for this convention.
    """

    TASK: ClassVar[str]
    """Name of the task in a pack's manifest."""
    CONVENTION: ClassVar[str]
    """Name of the convention in the model's metadata."""
    CROPS: ClassVar[Mapping[str, int]]
    """Side of each input that is a crop, by name."""
    NUMBERS: ClassVar[Sequence[str]] = ()
    """Names of the inputs that are one number."""
    GIVES: ClassVar[Mapping[str, list[int]]]
    """Shape of each output, by name."""

    def __init__(self, session: Session, name: str = "") -> None:
        require_convention(session, name or self.CONVENTION, self.CONVENTION, self.CROPS, self.GIVES, self.NUMBERS)
        self._session = session

    def works(self) -> bool:
        """Run once on a blank picture, for a network that every photo needs: it must not fail at the first request."""
        return True


def aligned(pixels: Pixels, face: Face, template: Sequence[tuple[float, float]], size: int) -> Pixels:
    """Cut the size x size crop that takes the landmarks to the template; border pixels are repeated outside."""
    import cv2

    points = distinct_landmarks(face.landmarks, face.box)
    matrix = similarity_transform(points, np.asarray(template, np.float64))
    return warp(pixels, matrix, size, border=cv2.BORDER_REPLICATE)


def square(pixels: Pixels, centre: tuple[float, float], side: float) -> Pixels:
    """Cut a square of the photo, moved and if necessary shrunk so that it lies inside."""
    height, width = pixels.shape[:2]
    edge = max(min(round(side), width, height), 1)
    left = min(max(round(centre[0] - edge / 2), 0), width - edge)
    top = min(max(round(centre[1] - edge / 2), 0), height - edge)
    return pixels[top : top + edge, left : left + edge]


def resized(square: Pixels, size: int) -> Pixels:
    """Scale a picture to size x size: averaged where it shrinks, interpolated where it grows."""
    import cv2

    if square.shape[:2] == (size, size):
        return np.ascontiguousarray(square)
    factor = int(min(square.shape[:2]) / (1.25 * size))
    if factor > 1:  # whole factors are averaged several times faster than others
        square, _ = averaged(square, factor)
    how = cv2.INTER_AREA if max(square.shape[:2]) > size else cv2.INTER_LINEAR
    return cv2.resize(square, (size, size), interpolation=how).astype(np.uint8, copy=False)


def require_convention(
    session: Session,
    name: str,
    convention: str,
    sizes: Mapping[str, int],
    gives: Mapping[str, list[int]],
    numbers: Sequence[str] = (),
) -> None:
    """Refuse a model whose metadata, inputs or outputs differ from the convention.

    Raises:
        PackError: they differ.
    """
    stated = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "")
    if stated != convention:
        raise PackError(f"{name}: made for the convention {stated or 'none'!r}, this version reads {convention!r}")
    shapes = {entry.name: (entry.type, list(entry.shape[1:])) for entry in session.get_inputs()}
    wanted = {key: ("tensor(uint8)", [size, size, 3]) for key, size in sizes.items()}
    wanted |= {key: ("tensor(float)", [1]) for key in numbers}
    outputs = {entry.name: (entry.type, list(entry.shape[1:])) for entry in session.get_outputs()}
    if shapes != wanted or outputs != {key: ("tensor(float)", shape) for key, shape in gives.items()}:
        raise PackError(f"{name}: its inputs or outputs are not those of the convention {convention!r}")
