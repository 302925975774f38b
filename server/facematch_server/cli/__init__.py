"""The `facematch` command: the library's commands and the service's.

Exit codes: 0 success, 1 the answer is "no" (each command says what that means), 2 the command failed: wrong usage, or a
problem, with one line on standard error. 130 after Ctrl-C.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the console script; always raises `SystemExit`.

    Args:
        arguments: the arguments after `facematch`; default `sys.argv[1:]`.
    """
    from facematch_local.cli.console import print_any_letter
    from facematch_local.errors import FacematchError
    from facematch_server.cli.app import app

    print_any_letter()
    try:
        app(args=None if arguments is None else list(arguments), prog_name="facematch")
    except FacematchError as error:
        print(f"facematch: {error}", file=sys.stderr)  # noqa: T201
        raise SystemExit(2) from None
