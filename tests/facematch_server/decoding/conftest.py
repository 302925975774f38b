"""Decoders that work, and decoders that misbehave."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from facematch_local.imaging.photo import ImageLimits
from facematch_server.decoding.decoder_pool import DecoderPool
from facematch_server.decoding.opening import open_decoders
from facematch_server.matching.cores import Cores
from tests.facematch_server.decoding.pool_steps import misbehaving_pool


@pytest.fixture(scope="module")
def good() -> Iterator[DecoderPool]:
    """Decoders as they are."""
    pool = open_decoders(2, ImageLimits(), Cores(2), 2)
    assert pool is not None
    pool.wait_until_ready()
    yield pool
    pool.close()


@pytest.fixture(scope="module")
def bad() -> Iterator[DecoderPool]:
    """Decoders that obey commands in photos; one is kept."""
    pool = misbehaving_pool()
    yield pool
    pool.close()
