"""The shift of a recapture network weighs every set alike."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from scripts.training.recapture.evaluate import shift_for


def test_each_set_counts_alike_however_many_photos_it_has() -> None:
    logits = {"many": np.linspace(-5, -1, 1000), "few": np.array([3.0, 2.0, 1.0, -3.0, -3.0, -3.0, -3.0, -3.0])}
    shift = shift_for(logits, 0.5, 0.13)  # one photo of `few` weighs 1/16, two are within 13 %
    assert shift == pytest.approx(1.0 - 0.5)
    above = np.mean([np.mean(values - shift > 0.5) for values in logits.values()])
    assert above <= 0.13
