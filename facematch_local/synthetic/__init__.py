"""Drawn and degraded photos with a known truth, for samples, tests and reports.

The drawing functions are pure: arrays and a seeded `numpy.random.Generator` in, an array out. All photos are HxWx3
uint8 BGR arrays. The same seed gives the same pixels.

Figures on synthetic cases are always reported apart from those on real photos: they show that a check reacts to what it
is meant to detect, not how often it errs in the field.
"""

from facematch_local.imaging.resampling import scaled
from facematch_local.synthetic.cards import Card, draw_card, with_second_portrait
from facematch_local.synthetic.copies import photocopy
from facematch_local.synthetic.degradation import cut, gaussian_blur, motion_blur
from facematch_local.synthetic.pixels import fitted_to, jpeg
from facematch_local.synthetic.recapture import print_recapture, screen_recapture
from facematch_local.synthetic.scenes import lit, on_background, on_shirt, side_by_side, with_poster
from facematch_local.synthetic.tampering import SWAPS, Swap, edit_text, swap_portrait

__all__ = [
    "SWAPS",
    "Card",
    "Swap",
    "cut",
    "draw_card",
    "edit_text",
    "fitted_to",
    "gaussian_blur",
    "jpeg",
    "lit",
    "motion_blur",
    "on_background",
    "on_shirt",
    "photocopy",
    "print_recapture",
    "scaled",
    "screen_recapture",
    "side_by_side",
    "swap_portrait",
    "with_poster",
    "with_second_portrait",
]
