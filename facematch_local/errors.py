"""The documented exceptions of the library.

```
FacematchError              base class
├── PhotoError              one photo cannot be compared; names the photo
│   ├── NoContentError      the photo is empty                     -> errorCode 1
│   └── ImageFormatError    not a decodable photo, or over a limit -> errorCode 3
│       └── ImageLimitError more bytes or pixels than the limits allow
├── PackError               a model pack is missing or damaged     -> the service does not start
├── ProviderError           no asked execution provider works      -> the service does not start
└── PolicyError             a policy or calibration file is invalid
```

Messages never quote the content of a photo; they may name a file of the installation.
"""

from __future__ import annotations

from typing import Literal


class FacematchError(Exception):
    """Base class of the documented errors."""


class PhotoError(FacematchError):
    """One photo cannot be compared.

    Attributes:
        image: the photo of the comparison, 1 or 2; None where a photo was decoded alone.
    """

    image: Literal[1, 2] | None = None


class NoContentError(PhotoError):
    """The photo has no bytes."""


class ImageFormatError(PhotoError):
    """The photo cannot be decoded, or is over a limit."""


class ImageLimitError(ImageFormatError):
    """The photo has more bytes or pixels than the limits allow."""


class PackError(FacematchError):
    """A model pack is missing, damaged or incomplete; the message names the file and the remedy."""


class ProviderError(FacematchError):
    """An execution provider is unknown, not installed, does not start or gives other results than the CPU."""


class PolicyError(FacematchError):
    """A policy or calibration file does not have the documented form."""
