"""Errors of decoding that are not the photo's fault."""

from __future__ import annotations

from facematch_local.errors import FacematchError


class DecoderError(FacematchError):
    """Photos cannot be decoded; the message says why and what to do."""


class OutOfTimeError(FacematchError):
    """The request's deadline passed while its photo was decoded."""
