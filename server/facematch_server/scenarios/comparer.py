"""Fixed answers of scenarios."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from facematch_local.checks import Role
from facematch_local.codes import ErrorCode, WarningCode
from facematch_local.imaging.photo import Photo, Pixels
from facematch_local.result import crop_jpeg
from facematch_server.errors import ContractError, ServiceError
from facematch_server.matching.comparer import Comparer
from facematch_server.scenarios.key import DEFAULT_PERCENT, Scenario
from facematch_server.scenarios.store import ScenarioKey
from facematch_server.store.records import ApiKey
from facematch_server.wire.reply import Compared, FoundFace

_SCORE: Final = 0.999796
# A proxy in front of the service sends these two, as a page of its own.
PROXY_PAGES: Final = {502: "502 Bad Gateway", 504: "504 Gateway Time-out"}
_FAILURES: Final = {500: "Internal server error", 503: "The service is busy, try again later", **PROXY_PAGES}


def scenario_comparers(
    decoder: Callable[[bytes], Photo], others: Callable[[ApiKey], Comparer]
) -> Callable[[ApiKey], Comparer]:
    """The comparer for each key: that of its scenario, else that of `others`.

    Args:
        decoder: decodes photos, as for real requests.
        others: the comparer for a real key.
    """

    def comparer_for(key: ApiKey) -> Comparer:
        if not isinstance(key, ScenarioKey):
            return others(key)
        scenario = key.scenario
        # Both outcomes precede the photos.
        if scenario.status is not None:
            retry_after = 1.0 if scenario.status == 503 else None
            raise ServiceError(scenario.status, _FAILURES[scenario.status], retry_after=retry_after)
        if scenario.error is ErrorCode.BAD_FORMAT_TYPE:
            raise ContractError(scenario.error)
        return ScenarioComparer(scenario, decoder)

    return comparer_for


class ScenarioComparer:
    """Answers with the scenario's outcome. It detects no faces; the crops are the middle of each photo."""

    def __init__(self, scenario: Scenario, decoder: Callable[[bytes], Photo]) -> None:
        self._scenario = scenario
        self._decode = decoder

    def compare(self, image1: bytes, image2: bytes, type1: Role) -> Compared:
        """The fixed outcome, after decoding both photos as for a real comparison."""
        del type1  # every code is given, also one that no real photo of this type has
        if self._scenario.error is not None:
            raise ContractError(self._scenario.error)
        warnings = self._scenario.warnings
        photo1, photo2 = (self._decode(image).pixels for image in (image1, image2))
        return Compared(
            DEFAULT_PERCENT if self._scenario.percent is None else self._scenario.percent,
            None if WarningCode.NO_FACE_ON_CARD in warnings else _face(photo1),
            None if WarningCode.NO_FACE_ON_PORTRAIT in warnings else _face(photo2),
            warnings,
        )


def _face(pixels: Pixels) -> FoundFace:
    height, width = pixels.shape[:2]
    side = max(min(height, width) // 2, 1)
    top, left = (height - side) // 2, (width - side) // 2
    return FoundFace(crop_jpeg(pixels[top : top + side, left : left + side].copy()), _SCORE)
