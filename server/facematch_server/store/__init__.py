"""Keys, quota, rate limits and the audit trail, in SQLite or PostgreSQL.

```python
with closing(Store.open(default_database_url())) as store:
    new = store.create_key(KeySettings("mobile app", quota=1000, period=Period.MONTH))
    key = store.authenticate(new.api_key, new.api_secret)
    reservation = store.reserve(key, ttl_seconds=60)   # None: the quota is used up
    store.commit(reservation)                          # or store.release(reservation)
```
"""

from __future__ import annotations

from facematch_server.store.backup import backup, restore
from facematch_server.store.engine import data_folder, default_database_url, describe, is_new
from facematch_server.store.errors import (
    InvalidKeyError,
    KeyExistsError,
    KeyFileError,
    SchemaError,
    StoreError,
    UnavailableError,
    UnknownKeyError,
    Why,
)
from facematch_server.store.keyfile import KeyLine, parse_expiry, parse_key_file
from facematch_server.store.logins import Login
from facematch_server.store.records import (
    ApiKey,
    AuditEntry,
    KeyPair,
    KeySettings,
    NewKey,
    Period,
    Reservation,
    Usage,
    period_named,
    profile_named,
)
from facematch_server.store.schema import SchemaStatus, status, upgrade
from facematch_server.store.store import Store

__all__ = [
    "ApiKey",
    "AuditEntry",
    "InvalidKeyError",
    "KeyExistsError",
    "KeyFileError",
    "KeyLine",
    "KeyPair",
    "KeySettings",
    "Login",
    "NewKey",
    "Period",
    "Reservation",
    "SchemaError",
    "SchemaStatus",
    "Store",
    "StoreError",
    "UnavailableError",
    "UnknownKeyError",
    "Usage",
    "Why",
    "backup",
    "data_folder",
    "default_database_url",
    "describe",
    "is_new",
    "parse_expiry",
    "parse_key_file",
    "period_named",
    "profile_named",
    "restore",
    "status",
    "upgrade",
]
