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
from typing import Final, Literal

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
        image: the photo at fault, 1 or 2; None if no photo is, or if it is not known.
        reason: a sentence about the fault that quotes nothing of the request; "" if `code` says all.
    """

    def __init__(
        self,
        code: ErrorCode,
        *,
        status: int = 200,
        retry_after: float | None = None,
        image: Literal[1, 2] | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(code.message)
        self.code = code
        self.status = status
        self.retry_after = retry_after
        self.image = image
        self.reason = reason


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
    except NoContentError as error:
        raise ContractError(ErrorCode.NO_CONTENT, image=error.image, reason=str(error)) from None
    except ImageFormatError as error:
        raise ContractError(ErrorCode.BAD_IMAGE, image=error.image, reason=str(error)) from None
    except UrlUnavailableError:
        raise ContractError(ErrorCode.URL_UNAVAILABLE) from None
