"""The errors of the store.

```
StoreError                 base of all
├── UnavailableError       the database cannot be reached, opened or written right now
├── SchemaError            the schema is missing, outdated or newer than this version
├── UnknownKeyError        no key has this api_key
├── KeyExistsError         a key with this api_key exists
├── InvalidKeyError        an impossible name, quota, profile ...
└── KeyFileError           a file of keys has wrong lines
```

No message holds a secret, a hash or the database's password.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from facematch_local.errors import FacematchError


class StoreError(FacematchError):
    """Base class of all errors of the store."""


class Why(StrEnum):
    """Why the database does not work, in words that do not reveal where it is."""

    LOCKED = "the database is locked by another process"
    GONE = "the database file is gone"
    REPLACED = "the database file was replaced by another database"
    STALE_JOURNAL = "the database file was replaced, and the journal (-wal) of the one before is still there"
    FULL = "the disk of the database is full"
    IO_ERROR = "the disk of the database does not take or give data"
    READ_ONLY = "the database cannot be written"
    CANNOT_BE_OPENED = "the database cannot be opened"
    DAMAGED = "the database is damaged"
    UNREACHABLE = "the database server cannot be reached"
    REFUSED = "the database server refuses this service"
    CROWDED = "the database server has no connection left for this service"
    SLOW = "the database does not answer in time"
    FAILED = "the database does not work"


class UnavailableError(StoreError):
    """The database cannot be reached, opened or written right now.

    Attributes:
        why: the reason, which clients may see; the message may name files and hosts.
    """

    def __init__(self, message: str, why: Why = Why.FAILED) -> None:
        super().__init__(message)
        self.why = why


class SchemaError(StoreError):
    """The schema does not fit this version of the service; the message names the remedy."""


class UnknownKeyError(StoreError):
    """No key has this api_key."""


class KeyExistsError(StoreError):
    """A key with this api_key exists."""


class InvalidKeyError(StoreError):
    """A key cannot have this name, quota, period, profile, rate limit, expiry, api_key or api_secret."""


class KeyFileError(StoreError):
    """A file of keys is wrong; no key of it was imported.

    Attributes:
        problems: one line each, in the order of the file.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))
