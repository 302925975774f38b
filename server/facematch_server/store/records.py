"""What goes into the store and comes out of it: plain frozen data."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from facematch_server.store.errors import InvalidKeyError
from facematch_server.wire.profile import Profile

# Beyond what Basic authentication is used with anywhere; they bound what an unauthenticated caller
# can make the service hash and look up.
MAX_API_KEY: Final = 255
MAX_API_SECRET: Final = 1024
MAX_NAME: Final = 200
MAX_COUNT: Final = 2**31 - 1


class Period(StrEnum):
    """What a quota is counted over. Days and months are those of UTC."""

    TOTAL = "total"
    DAY = "day"
    MONTH = "month"


def period_named(text: str) -> Period:
    """The period with this name; the total if the name is empty.

    Raises:
        InvalidKeyError: no period has this name.
    """
    try:
        return Period(text or Period.TOTAL)
    except ValueError:
        raise InvalidKeyError(f"the period is not one of {', '.join(Period)}") from None


def profile_named(text: str) -> Profile | None:
    """The wire profile with this name; None, the server's own, if the name is empty.

    Raises:
        InvalidKeyError: no profile has this name.
    """
    try:
        return Profile(text) if text else None
    except ValueError:
        raise InvalidKeyError(f"the profile is not one of {', '.join(Profile)}") from None


def usable_api_key(text: str) -> bool:
    """Whether Basic authentication can carry this user name."""
    return 0 < len(text) <= MAX_API_KEY and ":" not in text and text == text.strip() and _printable(text)


def usable_api_secret(text: str) -> bool:
    """Whether Basic authentication can carry this password."""
    return 0 < len(text) <= MAX_API_SECRET and _printable(text)


def _printable(text: str) -> bool:
    # Surrogates cannot be stored, NUL cannot in PostgreSQL, line breaks would forge log and CSV lines.
    return not any(char < " " or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff" for char in text)


@dataclass(frozen=True, slots=True)
class KeySettings:
    """What an operator decides about a key.

    Attributes:
        name: for people; need not be unique.
        quota: successful requests per `period`, None for no limit, 0 for none at all.
        period: what the quota is counted over.
        profile: wire profile of the replies, None for the server's own.
        rate_limit: requests per minute, None for no limit.
        expires_at: from this moment on the key is not accepted; aware, or None for never.

    Raises:
        InvalidKeyError: a value that a key cannot have.
    """

    name: str = ""
    quota: int | None = None
    period: Period = Period.TOTAL
    profile: Profile | None = None
    rate_limit: int | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if len(self.name) > MAX_NAME or not _printable(self.name):
            raise InvalidKeyError(f"a name has at most {MAX_NAME} characters, none of them a control character")
        if self.quota is not None and not 0 <= self.quota <= MAX_COUNT:
            raise InvalidKeyError(f"a quota lies between 0 and {MAX_COUNT}")
        if self.rate_limit is not None and not 1 <= self.rate_limit <= MAX_COUNT:
            raise InvalidKeyError(f"a rate limit lies between 1 and {MAX_COUNT} requests per minute")
        if self.profile is not None and not isinstance(self.profile, Profile):
            raise InvalidKeyError(f"the profile is not one of {', '.join(Profile)}")
        if not isinstance(self.period, Period):
            raise InvalidKeyError(f"the period is not one of {', '.join(Period)}")
        if self.expires_at is not None and self.expires_at.tzinfo is None:
            raise InvalidKeyError("an expiry states its time zone")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the store knows it; the secret is not among what it knows.

    Attributes:
        id: number of the key in the database.
        api_key: user name of Basic authentication.
        settings: what the operator decided.
        disabled: whether the key is refused.
        created_at: when it was created or imported.
        previous_secret_until: until when the secret before the last rotation is accepted too, or None.
    """

    id: int
    api_key: str
    settings: KeySettings
    disabled: bool
    created_at: datetime
    previous_secret_until: datetime | None = None

    @property
    def log_name(self) -> str:
        """The name in logs: the number of the key, never the key itself."""
        return str(self.id)

    @property
    def name(self) -> str:
        """`settings.name`."""
        return self.settings.name

    @property
    def quota(self) -> int | None:
        """`settings.quota`."""
        return self.settings.quota

    @property
    def period(self) -> Period:
        """`settings.period`."""
        return self.settings.period

    @property
    def profile(self) -> Profile | None:
        """`settings.profile`."""
        return self.settings.profile

    @property
    def rate_limit(self) -> int | None:
        """`settings.rate_limit`."""
        return self.settings.rate_limit

    @property
    def expires_at(self) -> datetime | None:
        """`settings.expires_at`."""
        return self.settings.expires_at

    def expired(self, now: datetime) -> bool:
        """Whether the key's time is over at `now` (aware)."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its secret, which is known at this moment only."""

    key: ApiKey
    api_secret: str = field(repr=False)

    @property
    def api_key(self) -> str:
        """User name of Basic authentication."""
        return self.key.api_key


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A pair that exists elsewhere and is to be accepted here too.

    Raises:
        InvalidKeyError: not usable with Basic authentication.
    """

    api_key: str
    api_secret: str = field(repr=False)
    settings: KeySettings = KeySettings()

    def __post_init__(self) -> None:
        if not usable_api_key(self.api_key):
            raise InvalidKeyError(
                f"an api_key has 1 to {MAX_API_KEY} characters, no colon, no control character and no space at its ends"
            )
        if not usable_api_secret(self.api_secret):
            raise InvalidKeyError(
                f"an api_secret has 1 to {MAX_API_SECRET} characters, none of them a control character"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """A request that may still be counted.

    Attributes:
        id: random; "" has no meaning.
        key_id: the key it is counted for.
        day: the UTC day it is counted on: that of the reservation, whenever the commit comes.
        limited: whether the key had a quota, so that the database holds a row for the reservation.
    """

    id: str
    key_id: int
    day: date
    limited: bool
    # Without a quota there is no row whose deletion could tell the first commit from the second one.
    _unsettled: threading.Lock = field(default_factory=threading.Lock, repr=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a key is used.

    Attributes:
        key: the key.
        today: successful requests of the current UTC day.
        month: of the current UTC month.
        total: since the key exists.
        reserved: requests under way in the quota's current period; 0 for a key without a quota.
        remaining: what the quota still allows, None without a quota.
        resets_at: when the quota's period ends, None for a total or without a quota.
    """

    key: ApiKey
    today: int
    month: int
    total: int
    reserved: int
    remaining: int | None
    resets_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change of a key.

    Attributes:
        id: rising number.
        at: when, aware.
        actor: who: the operating system's user, or "server".
        action: `create`, `import`, `rotate`, `disable`, `enable`, `set_quota`.
        api_key: which key.
        details: what was set; never a secret.
    """

    id: int
    at: datetime
    actor: str
    action: str
    api_key: str
    details: Mapping[str, str | int | None]
