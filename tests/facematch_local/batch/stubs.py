"""An examiner without models, for processes and threads: what it gives follows from the bytes alone."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facematch_local.batch.examining import Examined, Identity
from facematch_local.batch.rows import Fault, RowError
from facematch_local.calibration import Calibration
from facematch_local.checks import Role
from facematch_local.errors import PackError
from facematch_local.faces import Face

IDENTITY = Identity("stub 1", "aa", Calibration("straight", (0.0, 1.0), (0.0, 100.0)), "p1", "bb")


@dataclass(frozen=True)
class StubSettings:
    """Opens a `StubExaminer`.

    Attributes:
        log: gets a line for each examination; a file, so that processes can share it.
        seconds: time of an examination.
        broken: opening fails.
        pack: name that the results claim.
    """

    log: Path | None = None
    seconds: float = 0.0
    broken: bool = False
    pack: str = "stub 1"

    def __call__(self) -> StubExaminer:
        if self.broken:
            raise PackError("the stub is broken")
        return StubExaminer(self)


class StubExaminer:
    """Examines bytes."""

    def __init__(self, settings: StubSettings) -> None:
        self._settings = settings

    @property
    def identity(self) -> Identity:
        return Identity(self._settings.pack, "aa", IDENTITY.calibration, "p1", "bb")

    def examine(self, data: bytes, role: Role) -> Examined | Fault:
        if self._settings.log is not None:
            with self._settings.log.open("a", encoding="ascii") as stream:
                stream.write(f"{hashlib.sha256(data).hexdigest()} {role}\n")
        time.sleep(self._settings.seconds)
        if data.startswith(b"crash"):
            os._exit(9)
        if data.startswith(b"damaged"):
            return Fault(RowError.UNDECODABLE, "the photo is damaged")
        return examined(data)


def examined(data: bytes) -> Examined:
    """An embedding and warning codes from the digest of `data`; no face where it starts with "nobody"."""
    digest = hashlib.sha256(data).digest()
    if data.startswith(b"nobody"):
        return Examined(None, (5,))
    vector = np.frombuffer(digest, np.uint8).astype(np.float32)
    face = Face(np.zeros(4, np.float32), np.zeros((5, 2), np.float32), 0.9, vector / np.linalg.norm(vector))
    return Examined(face, tuple(sorted({digest[0] % 13, digest[1] % 13} - {0})))
