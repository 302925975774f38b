"""Every exception the library raises on purpose.

```
FacematchError            base of all
├── NoContentError        no bytes at all                        -> errorCode 1
├── ImageFormatError      not a decodable photo, or over a limit -> errorCode 3
│   └── ImageLimitError   over a limit on size
├── PackError             a model pack is missing or damaged     -> the service refuses to start
└── PolicyError           the policy or a calibration file is wrong
```

Messages never quote the photo's content; they may name a file of the installation.
"""

from __future__ import annotations


class FacematchError(Exception):
    """Base class of all errors raised on purpose."""


class NoContentError(FacematchError):
    """The photo has no bytes."""


class ImageFormatError(FacematchError):
    """The bytes are no photo that can be decoded, or are over a limit."""


class ImageLimitError(ImageFormatError):
    """The photo has more bytes or pixels than the limits allow."""


class PackError(FacematchError):
    """A model pack is missing, damaged or incomplete; the message names the file and the remedy."""


class PolicyError(FacematchError):
    """A policy or calibration file does not have the documented form."""
