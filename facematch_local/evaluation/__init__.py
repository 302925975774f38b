"""Measuring: how good are the scores, and what do the percents mean for these people?

Terms are those of ISO/IEC 19795-1: a *mated* comparison is of two photos of one person (genuine), a *non-mated*
one of two people (impostor); FMR and FNMR are the shares of comparisons decided wrongly, FTA the share of photos
from which no face could be taken.
"""

from __future__ import annotations
