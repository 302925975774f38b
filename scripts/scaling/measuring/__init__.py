"""The parts of `python -m scripts.scaling.measure`."""
