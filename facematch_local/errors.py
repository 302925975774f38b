"""The documented exceptions of the library.

```
FacematchError            base class
├── NoContentError        the photo is empty                     -> errorCode 1
├── ImageFormatError      not a decodable photo, or over a limit -> errorCode 3
│   └── ImageLimitError   more bytes or pixels than the limits allow
├── PackError             a model pack is missing or damaged     -> the service does not start
└── PolicyError           a policy or calibration file is invalid
```

Messages never quote the content of a photo; they may name a file of the installation.
"""

from __future__ import annotations


class FacematchError(Exception):
    """Base class of the documented errors."""


class NoContentError(FacematchError):
    """The photo has no bytes."""


class ImageFormatError(FacematchError):
    """The photo cannot be decoded, or is over a limit."""


class ImageLimitError(ImageFormatError):
    """The photo has more bytes or pixels than the limits allow."""


class PackError(FacematchError):
    """A model pack is missing, damaged or incomplete; the message names the file and the remedy."""


class PolicyError(FacematchError):
    """A policy or calibration file does not have the documented form."""
