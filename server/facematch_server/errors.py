"""The errors in which a request can end.

```
ContractError     one of the documented errorCodes 1 to 6
ServiceError      a fault of the service or of the connection, with an HTTP status of its own
ClientGoneError   the client closed the connection
```

Their messages never quote the request.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from facematch_local.codes import ErrorCode
from facematch_local.errors import ImageFormatError, NoContentError
from facematch_server.url_mode.errors import UrlUnavailableError

BUSY: Final = "The service is busy, try again later"


class ContractError(Exception):
    """A documented outcome without `data`.

    Attributes:
        code: the `errorCode`; never SUCCESS.
        status: HTTP status, if the contract's 200 does not apply.
        retry_after: seconds for the `Retry-After` header.
    """

    def __init__(self, code: ErrorCode, *, status: int = 200, retry_after: float | None = None) -> None:
        super().__init__(code.message)
        self.code = code
        self.status = status
        self.retry_after = retry_after


class ServiceError(Exception):
    """An undocumented outcome: overload, a slow client, a fault of the service.

    Attributes:
        status: HTTP status; also printed as `errorCode`, which the contract leaves free from 7 on.
        message: the `errorMessage`.
        retry_after: seconds for the `Retry-After` header.
        close: whether to close the connection after the reply.
    """

    def __init__(self, status: int, message: str, *, retry_after: float | None = None, close: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after
        self.close = close


class ClientGoneError(Exception):
    """The client closed the connection; nobody reads the reply."""


@contextmanager
def documented() -> Iterator[None]:
    """Turn errors about a photo into the contract's outcomes."""
    try:
        yield
    except NoContentError:
        raise ContractError(ErrorCode.NO_CONTENT) from None
    except ImageFormatError:
        raise ContractError(ErrorCode.BAD_IMAGE) from None
    except UrlUnavailableError:
        raise ContractError(ErrorCode.URL_UNAVAILABLE) from None
