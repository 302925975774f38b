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


class NoFaceAs(StrEnum):
    """The reply to a photo without a face: the vendor's pages in two languages differ.

    `WARNING` is invalidCode 4 or 5, as on the English page. `ERROR3` is errorCode 3, as on the Vietnamese page.
    """

    WARNING = "warning"
    ERROR3 = "error3"
