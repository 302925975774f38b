"""What the service reports about its model pack: in the log, at `/version` and in the metrics."""

from __future__ import annotations

import logging

from facematch_server.matching.comparer import Matcher


def pack_labels(matcher: Matcher) -> dict[str, str]:
    """Name, version and calibration of the pack, and the version of the policy."""
    loaded = matcher.pack
    return {
        "name": loaded.pack.name,
        "version": loaded.pack.version,
        "calibration": loaded.calibration.id,
        "policy": matcher.policy.version,
    }


def log_warnings(matcher: Matcher) -> None:
    """Warn in the log if the pack has no calibration curve of its own, if its choice needs a notice, or if an asked
    execution provider is not in use.
    """
    loaded, logger = matcher.pack, logging.getLogger(__name__)
    if not loaded.calibration.calibrated:
        logger.warning(
            "pack %s is uncalibrated: its percentages come from the generic curve, which errs towards no match; "
            "make a curve with `facematch calibrate`",
            loaded.pack.name,
        )
    if loaded.pack.notice:
        logger.warning("%s", loaded.pack.notice)
    for refusal in loaded.execution.refusals:
        logger.warning(
            "execution provider %s is not used, but %s: %s", refusal.name, loaded.execution.provider, refusal.reason
        )
