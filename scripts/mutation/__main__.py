"""Change the code at random places, one small change at a time, and see whether the tests notice.

    pip install -e '.[dev,mutation]'
    python -m scripts.mutation                                        # the rooms of modules.toml
    python -m scripts.mutation facematch_local/checks --seed 7 --json report.json

It works in a copy of the tree below the temporary folder; the checkout stays as it is. A mutant counts as killed where
a test fails or the tests take far longer than without it. `modules.toml` says which tests belong to a module,
`equivalent.toml` which mutants need no test, and why. Exit code 1: the tests notice too small a share.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from scripts.mutation.report import Result, as_json, equivalents, share_killed, survivors, table
from scripts.mutation.sample import LEAST, sample
from scripts.mutation.trial import copy_tree, enter, mutated, run_tests

ROOT: Final = Path(__file__).resolve().parents[2]
MODULES: Final = Path(__file__).with_name("modules.toml")
# Tests may take so much longer with a mutant than without it, and at least so many seconds, before they are ended.
SLOWER: Final = 5.0
LEAST_TIMEOUT: Final = 20.0
BASELINE_TIMEOUT: Final = 300.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _options(arguments)
    tests_of = dict(_modules(options.paths))
    if not tests_of:
        print("no module of modules.toml lies there", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder) / "tree"
        copy_tree(ROOT, copy)
        enter(copy)
        results: list[Result] = []
        for result in _results(tests_of, copy, options.seed, options.mutants, Path(folder) / "output"):
            results.append(result)
            if options.json:  # each time: a run takes long and may be ended early
                options.json.write_text(json.dumps(as_json(results, options.seed), indent=1), "utf-8")
    print(table(results), survivors(results), sep="\n\n")
    return int(share_killed(results) < options.least)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    described = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m scripts.mutation", description=__doc__, formatter_class=described)
    parser.add_argument("paths", nargs="*", help="modules or folders, from the root of the tree; default: all")
    parser.add_argument("--seed", type=int, default=21, help="of the sample (default: %(default)s)")
    parser.add_argument("--mutants", type=int, default=LEAST, help="of a short module (default: %(default)s)")
    parser.add_argument("--least", type=float, default=0.95, help="share that tests must notice (default: %(default)s)")
    parser.add_argument("--json", type=lambda name: Path(name).resolve(), help="file for all results")
    return parser.parse_args(arguments)


def _modules(paths: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each module of these paths with its tests, by `modules.toml`: those of its own name first, then the room's."""
    for room in tomllib.loads(MODULES.read_text("utf-8"))["room"]:
        found = ROOT / room["path"]
        for path in sorted(found.rglob("*.py")) if found.is_dir() else [found]:
            module = path.relative_to(ROOT).as_posix()
            if not paths or any(Path(module).is_relative_to(Path(wanted)) for wanted in paths):
                yield module, tuple(room.get("modules", {}).get(path.stem, room["tests"]))


def _results(tests_of: dict[str, tuple[str, ...]], copy: Path, seed: int, least: int, output: Path) -> Iterator[Result]:
    known = equivalents()
    usual: dict[tuple[str, ...], float] = {}
    for module, tests in tests_of.items():
        source = (copy / module).read_text("utf-8")
        mutants = sample(module, source, seed, least)
        if mutants and tests not in usual:
            baseline = run_tests(tests, BASELINE_TIMEOUT, output)
            if baseline.name != "survived":
                raise SystemExit(f"the tests of {module} fail without a mutant:\n{baseline.output}")
            usual[tests] = baseline.seconds
        for mutant in mutants:
            if reason := known.get((module, mutant.before, mutant.after)):
                result = Result(mutant, "equivalent", 0.0, reason)
            else:
                with mutated(copy / module, mutant.applied(source)):
                    outcome = run_tests(tests, max(SLOWER * usual[tests], LEAST_TIMEOUT), output)
                failed = [line for line in outcome.output.splitlines() if line.startswith(("FAILED", "ERROR"))]
                reason = failed[0] if failed else "" if outcome.name == "survived" else outcome.output[-300:]
                result = Result(mutant, outcome.name, round(outcome.seconds, 2), reason)
            print(f"{result.outcome:10} {result.seconds:6.1f} s  {module}:{mutant.line}", file=sys.stderr, flush=True)
            yield result


if __name__ == "__main__":
    sys.exit(main())
