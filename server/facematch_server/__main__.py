"""`python -m facematch_server` is `facematch`."""

from __future__ import annotations

from facematch_server.cli import main

main()
