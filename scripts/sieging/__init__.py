"""Parts of `scripts/siege.py`."""
