"""Comparisons by calls, each way in a process of its own: the bare models, the library, and other software."""
