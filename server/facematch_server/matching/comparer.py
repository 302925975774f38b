"""From two encoded photos to the contract's reply. Runs in a thread of the inference pool."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from facematch_local.checks import Role
from facematch_local.packs import LoadedPack
from facematch_local.policy import Policy
from facematch_local.result import MatchResult
from facematch_server.wire.reply import Compared, compared


class Matcher(Protocol):
    """The part of `facematch_local.FaceMatcher` that the service uses."""

    @property
    def pack(self) -> LoadedPack: ...
    @property
    def policy(self) -> Policy: ...
    def match(self, image1: bytes, image2: bytes, type1: Role = ...) -> MatchResult: ...


class Comparer(Protocol):
    """Answers one comparison. The API key chooses the comparer, so scenarios can answer without comparing.

    `compare` blocks. It may raise `ContractError` for every documented outcome, and the library's
    `NoContentError` and `ImageFormatError`.
    """

    def compare(self, image1: bytes, image2: bytes, type1: Role) -> Compared: ...


class MatcherComparer:
    """Compares the photos with a matcher."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def compare(self, image1: bytes, image2: bytes, type1: Role) -> Compared:
        """Compare two encoded photos."""
        return compared(self._matcher.match(image1, image2, type1))


def warm_up(matcher: Matcher) -> None:
    """Run the detector once at its usual sizes: the first run of a size allocates memory.

    Loading a pack has run every model before; see `facematch_local.packs.load_pack`.
    """
    matcher.pack.analyser.find(np.full((480, 640, 3), 127, np.uint8))
