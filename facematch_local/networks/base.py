"""Base of the optional networks of a pack: one ONNX file per task.

A network takes unscaled pixels (uint8, NHWC, BGR; scaling happens inside the graph) and returns probabilities or
points. Its *convention* defines its inputs and outputs. The file's metadata names the convention under `METADATA_KEY`,
and the module of the network describes it. Opening a pack refuses a file with another convention.
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
    """The used part of `onnxruntime.InferenceSession`. Several threads may call `run` concurrently."""

    def run(self, output_names: Sequence[str], input_feed: Mapping[str, Any]) -> list[Any]: ...
    def get_inputs(self) -> Sequence[Any]: ...
    def get_outputs(self) -> Sequence[Any]: ...
    def get_modelmeta(self) -> Any: ...


class Network:
    """A network with an open session, checked against its convention.

    Args:
        session: an open ONNX Runtime session.
        name: the model's name for error messages, such as its path; default the name of the convention.

    Raises:
        PackError: the model's metadata, inputs or outputs do not match the convention.
    """

    TASK: ClassVar[str]
    """Name of the task in a pack's manifest."""
    CONVENTION: ClassVar[str]
    """Name of the convention in the model's metadata."""
    CROPS: ClassVar[Mapping[str, int]]
    """Side in pixels of each input that is a crop, by name."""
    NUMBERS: ClassVar[Sequence[str]] = ()
    """Names of the scalar inputs."""
    GIVES: ClassVar[Mapping[str, list[int]]]
    """Shape of each output without the batch axis, by name."""

    def __init__(self, session: Session, name: str = "") -> None:
        require_convention(session, name or self.CONVENTION, self.CONVENTION, self.CROPS, self.GIVES, self.NUMBERS)
        self._session = session

    def works(self) -> bool:
        """Whether a trial run on a blank picture succeeds.

        Networks that every photo needs override this method, so that a faulty one fails when the pack is opened and
        not at the first request.
        """
        return True


def aligned(pixels: Pixels, face: Face, template: Sequence[tuple[float, float]], size: int) -> Pixels:
    """Warp a photo so that the face's landmarks match a template.

    Args:
        pixels: HxWx3 uint8 BGR; border pixels are repeated outside.
        face: one of its faces.
        template: five points (x, y) in pixels of the crop.
        size: side of the crop in pixels.

    Returns:
        size x size x 3 uint8 BGR.
    """
    import cv2

    points = distinct_landmarks(face.landmarks, face.box)
    matrix = similarity_transform(points, np.asarray(template, np.float64))
    return warp(pixels, matrix, size, border=cv2.BORDER_REPLICATE, halved=True)


def square(pixels: Pixels, centre: tuple[float, float], side: float) -> Pixels:
    """Crop a square of `side` pixels around a centre (x, y); moved and, if necessary, shrunk to lie in the photo."""
    height, width = pixels.shape[:2]
    edge = max(min(round(side), width, height), 1)
    left = min(max(round(centre[0] - edge / 2), 0), width - edge)
    top = min(max(round(centre[1] - edge / 2), 0), height - edge)
    return pixels[top : top + edge, left : left + edge]


def resized(square: Pixels, size: int) -> Pixels:
    """Scale a picture to size x size pixels: by averaging when it shrinks, by interpolation when it grows."""
    import cv2

    if square.shape[:2] == (size, size):
        return np.ascontiguousarray(square)
    factor = int(min(square.shape[:2]) / (1.25 * size))
    if factor > 1:  # averaging by a whole factor is several times faster
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

    Args:
        session: an open session of the model.
        name: the model's name for error messages.
        convention: name of the convention.
        sizes: side in pixels of each input that is a crop, by name.
        gives: shape of each output without the batch axis, by name.
        numbers: names of the scalar inputs.

    Raises:
        PackError: metadata, inputs or outputs differ.
    """
    stated = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY, "")
    if stated != convention:
        raise PackError(f"{name}: the model has the convention {stated or 'none'!r}, this version reads {convention!r}")
    shapes = {entry.name: (entry.type, list(entry.shape[1:])) for entry in session.get_inputs()}
    wanted = {key: ("tensor(uint8)", [size, size, 3]) for key, size in sizes.items()}
    wanted |= {key: ("tensor(float)", [1]) for key in numbers}
    outputs = {entry.name: (entry.type, list(entry.shape[1:])) for entry in session.get_outputs()}
    if shapes != wanted or outputs != {key: ("tensor(float)", shape) for key, shape in gives.items()}:
        raise PackError(f"{name}: the model's inputs or outputs do not match its convention {convention!r}")
