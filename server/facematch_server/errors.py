"""What a request can end in other than a reply.

```
ContractError     one of the documented errorCodes 1 to 6
ServiceError      the service or the connection is at fault; has an HTTP status of its own
```

Neither ever quotes what the client sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from facematch_local.codes import ErrorCode
from facematch_local.errors import ImageFormatError, NoContentError

BUSY: Final = "The service is busy, try again later"


class ContractError(Exception):
    """A documented outcome without `data`.

    Attributes:
        code: what `errorCode` says; never SUCCESS.
        status: HTTP status where the contract's 200 does not apply.
        retry_after: seconds for the `Retry-After` header.
    """

    def __init__(self, code: ErrorCode, *, status: int = 200, retry_after: float | None = None) -> None:
        super().__init__(code.message)
        self.code = code
        self.status = status
        self.retry_after = retry_after


class ServiceError(Exception):
    """No documented outcome: overload, a client too slow, a fault of the service.

    Attributes:
        status: HTTP status; also printed as `errorCode`, which the contract leaves free from 7 on.
        message: what `errorMessage` says.
        retry_after: seconds for the `Retry-After` header.
        close: end the connection after the reply.
    """

    def __init__(self, status: int, message: str, *, retry_after: float | None = None, close: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after
        self.close = close


class ClientGoneError(Exception):
    """The client broke the connection off; there is nobody to answer."""


@contextmanager
def documented() -> Iterator[None]:
    """Turn what the library says of a photo into the contract's outcome."""
    try:
        yield
    except NoContentError:
        raise ContractError(ErrorCode.NO_CONTENT) from None
    except ImageFormatError:
        raise ContractError(ErrorCode.BAD_IMAGE) from None
