"""Value and limit of a finding in words, for the table and the picture of `facematch compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facematch_local.policy import Finding


def value_text(finding: Finding) -> str:
    """The measured value with its unit; a dash without a value."""
    value, unit = finding.measure.value, finding.measure.unit
    if value is None:
        return "-"
    # The exponent of a probability far below any limit is not informative.
    return (f"{value:.3g}" if abs(value) >= 0.001 else "0") + ("" if unit == "1" else f" {unit}")


def allowed_text(finding: Finding) -> str:
    """The range without a warning."""
    low, high = finding.limit.minimum, finding.limit.maximum
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"at least {low:g}" if low is not None else f"at most {high:g}"
