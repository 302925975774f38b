"""Reports on labelled photos: error rates of the comparison, calibration, and rates of the warnings.

Terms are those of ISO/IEC 19795-1. A *mated* comparison is of two photos of one person (genuine), a *non-mated* one of
two people (impostor). FMR and FNMR are the shares of comparisons decided wrongly, FTA is the share of photos without a
usable face.
"""
