"""What the store raises on purpose.

```
StoreError                 base of all
├── UnavailableError       the database cannot be reached, opened or written right now
├── SchemaError            the schema is missing, outdated or newer than this version
├── UnknownKeyError        there is no such api_key
├── KeyExistsError         the api_key is taken
├── InvalidKeyError        a name, quota, profile ... that a key cannot have
└── KeyFileError           a file of keys has lines that cannot be imported
```

No message holds a secret, a hash or the database's password.
"""

from __future__ import annotations

from collections.abc import Sequence

from facematch_local.errors import FacematchError


class StoreError(FacematchError):
    """Base class of all errors of the store."""


class UnavailableError(StoreError):
    """The database cannot be reached, opened or written right now."""


class SchemaError(StoreError):
    """The schema does not fit this version of the service; the message names the remedy."""


class UnknownKeyError(StoreError):
    """There is no such api_key."""


class KeyExistsError(StoreError):
    """The api_key is taken."""


class InvalidKeyError(StoreError):
    """A key cannot have this name, quota, period, profile, rate limit, expiry, api_key or api_secret."""


class KeyFileError(StoreError):
    """A file of keys cannot be imported; nothing of it was.

    Attributes:
        problems: one line each, in the order of the file.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))
