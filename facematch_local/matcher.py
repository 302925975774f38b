"""The face matcher: compares two photos from decoding to verdict and warnings."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from facematch_local.calibration import Verdict, verdict
from facematch_local.checks import Examination, Role, document_outline, measure
from facematch_local.cpu import available_cpus
from facematch_local.errors import PhotoError
from facematch_local.faces import Face, FaceAnalyser, cosine
from facematch_local.faces.box_part import box_part
from facematch_local.imaging.decode import decode, from_array
from facematch_local.imaging.photo import ImageLimits, Photo
from facematch_local.packs import DEFAULT_PACK, LoadedPack, SessionSettings, find_pack, load_pack
from facematch_local.policy import Finding, Policy, load_policy, warnings
from facematch_local.result import MatchResult, PhotoResult
from facematch_local.spare_threads import SpareThreads

_T = TypeVar("_T")

# Faces with less than this share of the largest one's area are background under any policy. Embedding all faces of a
# crowd in the search for ghost portraits would only cost time.
_GHOST_CANDIDATE_RATIO = 0.02
_GHOST_CANDIDATES = 3


class FaceMatcher:
    """Compares photos. Create one matcher and share it: it is safe to use from several threads.

    ```python
    from facematch_local import FaceMatcher

    matcher = FaceMatcher.open()
    result = matcher.match(open("card.jpg", "rb").read(), open("selfie.jpg", "rb").read())
    print(result.percent, result.verdict.name, result.warnings)
    ```
    """

    def __init__(
        self,
        pack: LoadedPack,
        policy: Policy | None = None,
        limits: ImageLimits | None = None,
        executor: Executor | None = None,
        large_photo_lock: AbstractContextManager[object] | None = None,
        decoder: Callable[[bytes], Photo] | None = None,
    ) -> None:
        """Create a matcher.

        Args:
            pack: models and calibration.
            policy: limits of the checks; default the shipped policy.
            limits: limits on photos; default `ImageLimits()`.
            executor: processes image 1 while the calling thread processes image 2; default `SpareThreads`, which does
                so if a CPU is free. Its threads must not call `match`.
            large_photo_lock: the large-photo lock, see `imaging.decode.decode`; default a lock for this matcher.
            decoder: decodes photos instead of `imaging.decode.decode`, for example in a process that can be terminated.
                `limits` and `large_photo_lock` then have no effect. It must raise the same exceptions.
        """
        self._pack = pack
        self._policy = policy or load_policy()
        self._executor = executor or SpareThreads(available_cpus() - 1)
        large_photo_lock = threading.Lock() if large_photo_lock is None else large_photo_lock
        self._decode = decoder or partial(decode, limits=limits or ImageLimits(), large_photo_lock=large_photo_lock)

    @classmethod
    def open(
        cls,
        pack: str | Path = DEFAULT_PACK,
        *,
        policy: Policy | None = None,
        limits: ImageLimits | None = None,
        sessions: SessionSettings | None = None,
    ) -> FaceMatcher:
        """Find a pack by name or path, verify it and open it.

        Args:
            pack: name or path of the pack; default the best installed pack.
            policy: limits of the checks; default the shipped policy.
            limits: limits on photos; default `ImageLimits()`.
            sessions: settings of ONNX Runtime; default `SessionSettings()`.

        Raises:
            PackError: the pack does not exist or is damaged.
            PolicyError: the pack's calibration file or the shipped policy is invalid.
        """
        return cls(load_pack(find_pack(str(pack)), sessions), policy, limits)

    @property
    def pack(self) -> LoadedPack:
        """The pack in use."""
        return self._pack

    @property
    def policy(self) -> Policy:
        """The policy in use."""
        return self._policy

    def match(
        self,
        image1: bytes | NDArray[np.uint8] | Photo,
        image2: bytes | NDArray[np.uint8] | Photo,
        type1: Role | str = Role.CARD,
    ) -> MatchResult:
        """Compare the largest face of image 1 with the largest face of image 2.

        Args:
            image1: an encoded photo, an HxWx3 uint8 BGR array, or a decoded `Photo`.
            image2: a portrait, in one of the same forms.
            type1: type of image 1: "card" or "portrait".

        Raises:
            NoContentError: a photo is empty; `image` of the error names the photo.
            ImageFormatError: a photo cannot be decoded or is over a limit, likewise.
            ValueError: `type1` is neither "card" nor "portrait".
        """
        started = time.perf_counter()
        role1 = Role(type1)
        pending = self._executor.submit(self._look_at, image1, role1)
        try:
            with _errors_name(2):
                second = self._look_at(image2, Role.PORTRAIT)
        finally:
            # Wait in any case: an error of image 1 takes precedence, and no work remains in the background.
            with _errors_name(1):
                first = pending.result()
        findings = (*self._judge(1, first), *self._judge(2, second))
        similarity = cosine(first.face, second.face) if first.face and second.face else None
        percent = 0.0 if similarity is None else self._pack.calibration.percent(similarity)
        return MatchResult(
            percent=percent,
            verdict=Verdict.NO_MATCH if similarity is None else verdict(percent),
            cosine=similarity,
            warnings=warnings(findings),
            findings=findings,
            images=(first, second),
            pack=f"{self._pack.pack.name} {self._pack.pack.version}".strip(),
            calibration=self._pack.calibration.id,
            calibrated=self._pack.calibration.calibrated,
            policy=self._policy.version,
            timings=_summed(first.timings, second.timings) | {"total": time.perf_counter() - started},
        )

    def examine(
        self, image: bytes | NDArray[np.uint8] | Photo, role: Role | str
    ) -> tuple[PhotoResult, tuple[Finding, ...]]:
        """Examine one photo in the same way as `match`.

        Args:
            image: an encoded photo, an HxWx3 uint8 BGR array, or a decoded `Photo`.
            role: type of the photo: "card" or "portrait".

        Returns:
            The result, and each measure with its limit and outcome.

        Raises:
            NoContentError, ImageFormatError, ValueError: in the same cases as `match`.
        """
        result = self._look_at(image, Role(role))
        return result, self._judge(1, result)

    def _look_at(self, image: bytes | NDArray[np.uint8] | Photo, role: Role) -> PhotoResult:
        analyser, stopwatch = self._pack.analyser, _Stopwatch()
        photo = stopwatch.time("decode", lambda: self._photo(image))
        found = stopwatch.time("detect", lambda: analyser.find(photo.pixels, small=role is Role.CARD))
        faces, aligned = stopwatch.time("embed", lambda: _embed(analyser, photo, role, found))
        examination = Examination(
            photo, role, faces, self._pack.networks, self._pack.calibration, self._policy.ghost_percent
        )
        measures = stopwatch.time("checks", lambda: measure(examination))
        return PhotoResult(
            photo=photo,
            role=role,
            faces=faces,
            crop=face_crop(photo, faces[0]) if faces else None,
            aligned=aligned,
            measures=measures,
            timings=stopwatch.seconds,
            document=document_outline(examination),
        )

    def _photo(self, image: bytes | NDArray[np.uint8] | Photo) -> Photo:
        if isinstance(image, Photo):
            return image
        if isinstance(image, np.ndarray):
            return from_array(image)
        return self._decode(image)

    def _judge(self, image: int, result: PhotoResult) -> tuple[Finding, ...]:
        return self._policy.judge(image, result.role, result.measures)


def face_crop(photo: Photo, face: Face, margin: float = 0.25) -> NDArray[np.uint8]:
    """Crop a face with `margin` of its size on each side, clipped to the photo: HxWx3 uint8 BGR, a copy.

    A face outside the photo, where a detector may place it, gives one pixel.
    """
    part = box_part(photo.pixels, face, margin)
    return (part if part.size else photo.pixels[:1, :1]).copy()


def _embed(
    analyser: FaceAnalyser, photo: Photo, role: Role, faces: tuple[Face, ...]
) -> tuple[tuple[Face, ...], NDArray[np.uint8] | None]:
    """Embed the compared face and, on a card, the faces that may be its ghost portrait; also the aligned first one."""
    if not faces:
        return (), None
    ghosts = 0
    if role is Role.CARD:
        large = [face for face in faces[1:] if face.area >= _GHOST_CANDIDATE_RATIO * faces[0].area]
        ghosts = len(large[:_GHOST_CANDIDATES])
    aligned = analyser.align(photo.pixels, faces[0])
    compared = analyser.embed(photo.pixels, faces[0], aligned)
    others = (analyser.embed(photo.pixels, face) for face in faces[1 : 1 + ghosts])
    return (compared, *others, *faces[1 + ghosts :]), aligned


@contextmanager
def _errors_name(image: Literal[1, 2]) -> Iterator[None]:
    """Note in an error about a photo which photo of the comparison it was."""
    try:
        yield
    except PhotoError as error:
        error.image = image
        raise


def _summed(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    return {stage: seconds + second[stage] for stage, seconds in first.items()}


class _Stopwatch:
    """Measures seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, stage: str, work: Callable[[], _T]) -> _T:
        started = time.perf_counter()
        result = work()
        self.seconds[stage] = time.perf_counter() - started
        return result
