"""The `facematch` command."""

from __future__ import annotations


def main() -> None:
    """Entry point of the console script."""
    raise SystemExit("facematch: no commands yet")
