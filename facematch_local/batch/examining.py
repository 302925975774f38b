"""What a pair needs of each photo, and a pair's outcome: the values of `FaceMatcher.match`, photo by photo.

Nothing here knows of processes: `match_row` is the whole work on one row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from facematch_local.batch.locations import redacted
from facematch_local.batch.rows import Fault, Outcome, Pair, RowError, failed
from facematch_local.brief_repr import BriefRepr
from facematch_local.calibration import Calibration, Verdict, verdict
from facematch_local.checks import Role
from facematch_local.errors import ImageFormatError, ImageLimitError, NoContentError
from facematch_local.faces import Face, cosine

if TYPE_CHECKING:
    from facematch_local.matcher import FaceMatcher
    from facematch_local.packs import LoadedPack
    from facematch_local.policy import Policy
    from facematch_local.providers import ProviderSettings


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Examined(BriefRepr):
    """What a pair needs of an examined photo: some kilobytes, no pixels.

    Attributes:
        face: the compared face with its embedding; None without a face.
        codes: the warning codes that hold for the photo in its role, lowest first.
    """

    face: Face | None
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """Everything apart from the photos that a result depends on.

    Attributes:
        pack: name and version.
        pack_sha256: of the digests of all its models, those that it lacks and the shipped pack gives included.
        calibration: the curve.
        policy: version.
        policy_sha256: of the limits.
        provider: the execution provider of detector and recogniser.
    """

    pack: str
    pack_sha256: str
    calibration: Calibration
    policy: str
    policy_sha256: str
    provider: str = "cpu"

    def as_data(self) -> dict[str, Any]:
        """Plain data for a manifest."""
        return {
            "pack": self.pack,
            "pack_sha256": self.pack_sha256,
            "calibration": self.calibration.id,
            "calibrated": self.calibration.calibrated,
            "calibration_sha256": _digest(asdict(self.calibration)),
            "provider": self.provider,
            "policy": self.policy,
            "policy_sha256": self.policy_sha256,
        }


class Examiner(Protocol):
    """Examines photos in one process."""

    @property
    def identity(self) -> Identity:
        """What its results depend on."""
        ...

    def examine(self, data: bytes, role: Role) -> Examined | Fault:
        """Examine one encoded photo; never raises for a fault of the photo."""
        ...


class PhotoExaminer:
    """An `Examiner` by a `FaceMatcher`."""

    def __init__(self, matcher: FaceMatcher) -> None:
        self._matcher = matcher

    @property
    def identity(self) -> Identity:
        """What its results depend on."""
        return identity_of(self._matcher.pack, self._matcher.policy)

    def examine(self, data: bytes, role: Role) -> Examined | Fault:
        """Examine one encoded photo."""
        from facematch_local.policy import warnings

        try:
            photo, findings = self._matcher.examine(data, role)
        except NoContentError as error:
            return Fault(RowError.EMPTY, str(error))
        except ImageLimitError as error:
            return Fault(RowError.OVER_LIMIT, str(error))
        except ImageFormatError as error:
            return Fault(RowError.UNDECODABLE, str(error))
        # A model or a check that fails on one photo must not end the work on the others.
        except Exception as error:
            return Fault(RowError.INTERNAL, f"the photo cannot be examined ({type(error).__name__})")
        return Examined(photo.face, tuple(int(code) for code in warnings(findings)))


@dataclass(frozen=True, slots=True)
class ExaminerSettings:
    """Opens an examiner when called, in whichever process.

    Attributes:
        pack: name or folder.
        policy: a policy file; None for the shipped one.
        providers: the asked execution providers; default the CPU's.
    """

    pack: str
    policy: Path | None = None
    providers: ProviderSettings | None = None

    def __call__(self) -> Examiner:
        """Load the pack, with one thread for each model.

        Raises:
            PackError, PolicyError, ProviderError: the pack, the policy or the execution providers cannot be used.
        """
        import cv2

        from facematch_local.matcher import FaceMatcher
        from facematch_local.packs import SessionSettings
        from facematch_local.policy import load_policy

        cv2.setNumThreads(1)
        policy = load_policy(self.policy) if self.policy else None
        sessions = SessionSettings(intra_op_threads=1)
        if self.providers is not None:
            sessions = replace(sessions, providers=self.providers)
        return PhotoExaminer(FaceMatcher.open(self.pack, policy=policy, sessions=sessions))


def identity_of(pack: LoadedPack, policy: Policy) -> Identity:
    """What results of a pack and a policy depend on."""
    from facematch_local.packs import sha256_of
    from facematch_local.packs.search import fallback_networks

    fallback = fallback_networks(pack.pack) if pack.fallback else {}
    files = {**pack.pack.files, **fallback}
    return Identity(
        pack=f"{pack.pack.name} {pack.pack.version}".strip(),
        pack_sha256=_digest({task: sha256_of(file.path) for task, file in files.items()}),
        calibration=pack.calibration,
        policy=policy.version,
        policy_sha256=_digest(
            {role: {name: asdict(limit) for name, limit in limits.items()} for role, limits in policy.limits.items()}
        ),
        provider=pack.execution.provider,
    )


def match_row(pair: Pair, examined: Callable[[str, Role], Examined | Fault], calibration: Calibration) -> Outcome:
    """All work on one row.

    Args:
        pair: the row.
        examined: gives the examined photo of a path or URL in a role.
        calibration: the curve from cosine to percent.
    """
    if pair.fault is not None:
        return failed(pair, pair.fault)
    first, second = examined(pair.path1, Role(pair.type1)), examined(pair.path2, Role.PORTRAIT)
    return outcome_of(pair, first, second, calibration)


def outcome_of(pair: Pair, first: Examined | Fault, second: Examined | Fault, calibration: Calibration) -> Outcome:
    """The outcome of a pair from its two photos; of two faults that of image 1 counts, as in a match."""
    if isinstance(first, Fault):
        return failed(pair, Fault(first.code, f"image 1: {first.reason}"))
    if isinstance(second, Fault):
        return failed(pair, Fault(second.code, f"image 2: {second.reason}"))
    similarity = cosine(first.face, second.face) if first.face and second.face else None
    percent = 0.0 if similarity is None else calibration.percent(similarity)
    decided = Verdict.NO_MATCH if similarity is None else verdict(percent)
    return Outcome(
        id=pair.id,
        path1=redacted(pair.path1),
        path2=redacted(pair.path2),
        type1=pair.type1,
        percent=percent,
        verdict=decided.name.lower(),
        warnings=tuple(sorted({*first.codes, *second.codes})),
    )


def _digest(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
