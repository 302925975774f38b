"""Hit, miss and false-alarm rates of each warning on labelled photos."""
