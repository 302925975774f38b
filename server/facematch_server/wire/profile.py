"""Wire profiles: the two ways in which a reply of the contract is printed."""

from __future__ import annotations

from enum import StrEnum


class Profile(StrEnum):
    """How replies are printed.

    `DOCUMENTED` follows the vendor's documentation. `OBSERVED` follows the live service: `invalidCode` is a number and
    the keys are in alphabetical order.
    """

    DOCUMENTED = "documented"
    OBSERVED = "observed"
