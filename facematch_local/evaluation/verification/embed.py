"""Photos to embeddings, each photo once, on all cores, with bounded memory."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facematch_local.brief import BriefRepr
from facematch_local.errors import FacematchError
from facematch_local.faces import FaceAnalyser
from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import ImageLimits

NO_FACE = "no face found"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Embeddings(BriefRepr):
    """What the pack made of each photo, in the order of the photos.

    Attributes:
        matrix: (P, D) float32, rows of length 1; zeros where there is none.
        usable: (P,) bool: a face was found and embedded.
        unreadable: (P,) bool: the file is missing or no photo. Such files say nothing about the pack and do not count
            as failures to acquire.
        content: (P,) int32, equal for files with the same bytes.
        reasons: why there is no embedding, "" where there is one.
        inter_eye: (P,) float32, distance between the eyes in pixels; NaN without a face.
    """

    matrix: NDArray[np.float32]
    usable: NDArray[np.bool_]
    unreadable: NDArray[np.bool_]
    content: NDArray[np.int32]
    reasons: Sequence[str]
    inter_eye: NDArray[np.float32]

    @property
    def failure_to_acquire(self) -> float:
        """FTA: share of the readable photos from which no face was taken; NaN without photos."""
        readable = int((~self.unreadable).sum())
        return float((~self.usable & ~self.unreadable).sum()) / readable if readable else float("nan")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Taken(BriefRepr):
    embedding: NDArray[np.float32] | None
    reason: str = ""
    unreadable: bool = False
    inter_eye: float = float("nan")


def embed_photos(
    analyser: FaceAnalyser,
    photos: Sequence[Path],
    workers: int,
    advance: Callable[[], None] = lambda: None,
    limits: ImageLimits | None = None,
    read: Callable[[Path], bytes] = Path.read_bytes,
) -> Embeddings:
    """Take the largest face of every photo, as a match does.

    Args:
        analyser: detector and recogniser; its sessions should use one thread each.
        photos: files; what cannot be read becomes a reason.
        workers: threads. Each decodes, detects and embeds one photo at a time, so at most `workers` decoded photos
            are held at once and no core waits for another.
        advance: called after each photo, from the worker's thread.
        limits: limits on photos.
        read: gives the bytes of a photo; another one makes photos that are in no file.
    """
    by_content, one_large_photo = _ByContent(), threading.Lock()

    def take(path: Path) -> tuple[str, _Taken]:
        try:
            data = read(path)
        except OSError as error:
            return f"!{path}", _Taken(None, error.strerror or type(error).__name__, unreadable=True)
        except FacematchError as error:
            return f"!{path}", _Taken(None, str(error), unreadable=True)
        digest = hashlib.sha256(data).hexdigest()
        return digest, by_content.get(digest, lambda: _take(analyser, data, limits, one_large_photo))

    def take_and_tell(path: Path) -> tuple[str, _Taken]:
        try:
            return take(path)
        finally:
            advance()

    executor = ThreadPoolExecutor(workers, thread_name_prefix="facematch-evaluate")
    try:
        results = list(executor.map(take_and_tell, photos))
    finally:
        # After Ctrl-C or an error the photos that wait are not worked off.
        executor.shutdown(cancel_futures=True)
    return _gathered(results)


def _take(
    analyser: FaceAnalyser, data: bytes, limits: ImageLimits | None, turn: AbstractContextManager[object]
) -> _Taken:
    try:
        photo = decode(data, limits, turn)
    except FacematchError as error:
        return _Taken(None, str(error), unreadable=True)
    faces = analyser.find(photo.pixels)
    if not faces:
        return _Taken(None, NO_FACE)
    face = analyser.embed(photo.pixels, faces[0])
    return _Taken(face.embedding, inter_eye=face.inter_eye_distance)


def _gathered(results: Sequence[tuple[str, _Taken]]) -> Embeddings:
    dimension = next((len(taken.embedding) for _, taken in results if taken.embedding is not None), 1)
    matrix = np.zeros((len(results), dimension), np.float32)
    for row, (_, taken) in enumerate(results):
        if taken.embedding is not None:
            matrix[row] = taken.embedding
    numbers: dict[str, int] = {}
    return Embeddings(
        matrix=matrix,
        usable=np.array([taken.embedding is not None for _, taken in results], bool),
        unreadable=np.array([taken.unreadable for _, taken in results], bool),
        content=np.array([numbers.setdefault(digest, len(numbers)) for digest, _ in results], np.int32),
        reasons=[taken.reason for _, taken in results],
        inter_eye=np.array([taken.inter_eye for _, taken in results], np.float32),
    )


class _ByContent:
    """Work done once per content, also when two threads meet the same content at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: dict[str, Future[_Taken]] = {}

    def get(self, digest: str, work: Callable[[], _Taken]) -> _Taken:
        with self._lock:
            future = self._done.get(digest)
            mine = future is None
            if future is None:
                future = self._done[digest] = Future()
        if mine:
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()
