"""Lists of pairs to lists of results, on all cores, to be resumed after an interruption."""
