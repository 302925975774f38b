"""Embeddings of photos, each photo once, on all cores, with bounded memory."""

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
    """The embedding of each photo, in the order of the photos.

    Attributes:
        matrix: (P, D) float32, rows of length 1; zeros without an embedding.
        usable: (P,) bool: a face was found and embedded.
        unreadable: (P,) bool: the file is missing or is not a photo. Such files do not count as failures to acquire.
        content: (P,) int32, equal for files with the same bytes.
        reasons: the reason for a missing embedding, "" with an embedding.
    """

    matrix: NDArray[np.float32]
    usable: NDArray[np.bool_]
    unreadable: NDArray[np.bool_]
    content: NDArray[np.int32]
    reasons: Sequence[str]

    @property
    def failure_to_acquire(self) -> float:
        """FTA: share of the readable photos without a usable face; NaN without readable photos."""
        readable = int((~self.unreadable).sum())
        return float((~self.usable & ~self.unreadable).sum()) / readable if readable else float("nan")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Embedded(BriefRepr):
    embedding: NDArray[np.float32] | None
    reason: str = ""
    unreadable: bool = False


def embed_photos(
    analyser: FaceAnalyser,
    photos: Sequence[Path],
    workers: int,
    advance: Callable[[], None] = lambda: None,
    limits: ImageLimits | None = None,
    read: Callable[[Path], bytes] = Path.read_bytes,
) -> Embeddings:
    """Embed the largest face of every photo, as a match does.

    Args:
        analyser: detector and recogniser; its sessions should use one thread each.
        photos: files; a file that cannot be read gets a reason instead of an embedding.
        workers: number of threads. Each decodes, detects and embeds one photo at a time, so at most `workers` decoded
            photos are held at once.
        advance: called after each photo, in the worker's thread.
        limits: limits on photos.
        read: returns the bytes of a photo; a replacement can draw photos that are not files.
    """
    by_content, large_photo_lock = _ByContent(), threading.Lock()

    def embed(path: Path) -> tuple[str, _Embedded]:
        try:
            data = read(path)
        except OSError as error:
            return f"!{path}", _Embedded(None, error.strerror or type(error).__name__, unreadable=True)
        except FacematchError as error:
            return f"!{path}", _Embedded(None, str(error), unreadable=True)
        digest = hashlib.sha256(data).hexdigest()
        return digest, by_content.get(digest, lambda: _embed(analyser, data, limits, large_photo_lock))

    def embed_and_advance(path: Path) -> tuple[str, _Embedded]:
        try:
            return embed(path)
        finally:
            advance()

    executor = ThreadPoolExecutor(workers, thread_name_prefix="facematch-evaluate")
    try:
        results = list(executor.map(embed_and_advance, photos))
    finally:
        # After Ctrl-C or an error the waiting photos are dropped.
        executor.shutdown(cancel_futures=True)
    return _gathered(results)


def _embed(
    analyser: FaceAnalyser, data: bytes, limits: ImageLimits | None, large_photo_lock: AbstractContextManager[object]
) -> _Embedded:
    try:
        photo = decode(data, limits, large_photo_lock)
    except FacematchError as error:
        return _Embedded(None, str(error), unreadable=True)
    faces = analyser.find(photo.pixels)
    if not faces:
        return _Embedded(None, NO_FACE)
    face = analyser.embed(photo.pixels, faces[0])
    return _Embedded(face.embedding)


def _gathered(results: Sequence[tuple[str, _Embedded]]) -> Embeddings:
    dimension = next((len(result.embedding) for _, result in results if result.embedding is not None), 1)
    matrix = np.zeros((len(results), dimension), np.float32)
    for row, (_, result) in enumerate(results):
        if result.embedding is not None:
            matrix[row] = result.embedding
    numbers: dict[str, int] = {}
    return Embeddings(
        matrix=matrix,
        usable=np.array([result.embedding is not None for _, result in results], bool),
        unreadable=np.array([result.unreadable for _, result in results], bool),
        content=np.array([numbers.setdefault(digest, len(numbers)) for digest, _ in results], np.int32),
        reasons=[result.reason for _, result in results],
    )


class _ByContent:
    """Does the work once per content, even if two threads reach the same content at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done: dict[str, Future[_Embedded]] = {}

    def get(self, digest: str, work: Callable[[], _Embedded]) -> _Embedded:
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
