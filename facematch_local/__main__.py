"""`python -m facematch_local` is `facematch`."""

from __future__ import annotations

from facematch_local.cli import main

main()
