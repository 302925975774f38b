"""The development data: its split, and its labels as plain lists for `facematch evaluate`."""
