"""The store's data: plain and frozen."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from facematch_server.store.errors import InvalidKeyError
from facematch_server.wire.profile import Profile

# Beyond all practical credentials. They bound the work that a client without a key can cause.
MAX_API_KEY: Final = 255
MAX_API_SECRET: Final = 1024
MAX_NAME: Final = 200
MAX_COUNT: Final = 2**31 - 1


class Period(StrEnum):
    """The period of a quota. Days and months are those of UTC."""

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
    # No database stores surrogates, PostgreSQL stores no NUL, and line breaks would forge log and CSV lines.
    return not any(char < " " or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff" for char in text)


@dataclass(frozen=True, slots=True)
class KeySettings:
    """An operator's decisions about a key.

    Attributes:
        name: for people; need not be unique.
        quota: successful requests per `period`; None for no limit, 0 for no request.
        period: the period of the quota.
        profile: wire profile of the replies; None for the server's own.
        rate_limit: requests per minute; None for no limit.
        expires_at: the key is refused from this moment on; aware, or None for never.

    Raises:
        InvalidKeyError: a value is out of range.
    """

    name: str = ""
    quota: int | None = None
    period: Period = Period.TOTAL
    profile: Profile | None = None
    rate_limit: int | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if len(self.name) > MAX_NAME or not _printable(self.name):
            raise InvalidKeyError(
                f"the name is not usable: a name has at most {MAX_NAME} characters, without control characters"
            )
        if self.quota is not None and not 0 <= self.quota <= MAX_COUNT:
            raise InvalidKeyError(f"the quota is not between 0 and {MAX_COUNT}")
        if self.rate_limit is not None and not 1 <= self.rate_limit <= MAX_COUNT:
            raise InvalidKeyError(f"the rate limit is not between 1 and {MAX_COUNT} requests per minute")
        if self.profile is not None and not isinstance(self.profile, Profile):
            raise InvalidKeyError(f"the profile is not one of {', '.join(Profile)}")
        if not isinstance(self.period, Period):
            raise InvalidKeyError(f"the period is not one of {', '.join(Period)}")
        if self.expires_at is not None and self.expires_at.tzinfo is None:
            raise InvalidKeyError("the expiry has no time zone")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the store, without its secret.

    Attributes:
        id: number of the key in the database, from 1.
        api_key: user name of Basic authentication.
        settings: the operator's decisions.
        disabled: whether the key is refused.
        created_at: when it was created or imported.
        previous_secret_until: until when the secret before the last rotation is accepted, too; or None.
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
        """Whether the key has expired at `now` (aware)."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class NewKey:
    """A new key with its secret, which is not stored."""

    key: ApiKey
    api_secret: str = field(repr=False)

    @property
    def api_key(self) -> str:
        """User name of Basic authentication."""
        return self.key.api_key


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A pair of api_key and api_secret that a client uses elsewhere.

    Raises:
        InvalidKeyError: Basic authentication cannot carry the pair.
    """

    api_key: str
    api_secret: str = field(repr=False)
    settings: KeySettings = KeySettings()

    def __post_init__(self) -> None:
        if not usable_api_key(self.api_key):
            raise InvalidKeyError(
                f"the api_key is not usable: it has 1 to {MAX_API_KEY} characters, without colons, control characters "
                f"and "
                "spaces at its ends"
            )
        if not usable_api_secret(self.api_secret):
            raise InvalidKeyError(
                f"the api_secret is not usable: it has 1 to {MAX_API_SECRET} characters, without control characters"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """A request in flight that may still be counted.

    Attributes:
        id: a random text.
        key_id: number of its key.
        day: the UTC day for which it counts: the day of the reservation, not of the commit.
        limited: whether the key has a quota, so that the database holds a row for the reservation.
    """

    id: str
    key_id: int
    day: date
    limited: bool
    # Without a quota no row exists whose deletion distinguishes the first commit from the second one.
    _unsettled: threading.Lock = field(default_factory=threading.Lock, repr=False)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request whose credentials are valid.

    Attributes:
        key: its key, as the database has it now.
        reservation: its part of the quota; None if the quota is used up.
    """

    key: ApiKey
    reservation: Reservation | None


@dataclass(frozen=True, slots=True)
class Usage:
    """The requests that a key has used.

    Attributes:
        key: the key.
        today: successful requests of the current UTC day.
        month: successful requests of the current UTC month.
        total: successful requests of all time.
        reserved: requests in flight of the quota's current period; 0 without a quota.
        remaining: requests left in the quota; None without a quota.
        resets_at: when the quota's period ends; None for a total, and without a quota.
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
        id: ascending number.
        at: moment of the change, aware.
        actor: the operating system's user, or "server".
        action: `create`, `import`, `rotate`, `disable`, `enable`, `set_quota`.
        api_key: the changed key.
        details: the new values; never a secret.
    """

    id: int
    at: datetime
    actor: str
    action: str
    api_key: str
    details: Mapping[str, str | int | None]
