"""The contract's shapes: the only place that knows them.

`query` says what is asked for, `photos` takes the photos out of a body, `reply` prints what came out.
"""

from __future__ import annotations

from facematch_server.settings import Profile
from facematch_server.wire.photos import Photos, is_multipart, take_photos
from facematch_server.wire.query import Asked, Mode, parse_query, parse_type1
from facematch_server.wire.reply import (
    WARNINGS_HEADER,
    Compared,
    FoundFace,
    print_comparison,
    print_error,
    print_failure,
)

__all__ = [
    "WARNINGS_HEADER",
    "Asked",
    "Compared",
    "FoundFace",
    "Mode",
    "Photos",
    "Profile",
    "is_multipart",
    "parse_query",
    "parse_type1",
    "print_comparison",
    "print_error",
    "print_failure",
    "take_photos",
]
