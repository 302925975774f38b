"""Command-line options that several programs share."""

from __future__ import annotations

import argparse
from pathlib import Path

from scripts.training.common.repository import COMPACT

HIGHEST_RATE = 3e-3


def parser_of(description: str | None, *paths: str) -> argparse.ArgumentParser:
    """A parser that shows the module's docstring as it stands, with a required path option for each name."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in paths:
        parser.add_argument(f"--{name}", type=Path, required=True)
    return parser


def add_others(parser: argparse.ArgumentParser, text: str = "folders of pictures without documents") -> None:
    """`--others`: folders of pictures of anything."""
    parser.add_argument("--others", type=Path, nargs="+", required=True, help=text)


def add_pack(parser: argparse.ArgumentParser) -> None:
    """`--pack`: the folder of the pack that is measured."""
    parser.add_argument("--pack", type=Path, default=COMPACT)


def add_out(parser: argparse.ArgumentParser) -> None:
    """`--out`: the folder of the pack that the network is written to."""
    parser.add_argument("--out", type=Path, default=COMPACT, help="folder of the pack to write to")


def add_tuned(parser: argparse.ArgumentParser) -> None:
    """`--tuned`: measure on the half of the photos that was trained on."""
    parser.add_argument("--tuned", action="store_true", help="the half trained on instead; nothing is written")


def add_training(parser: argparse.ArgumentParser, steps: int) -> None:
    """`--work`, `--start`, `--steps`, `--rate` and `--out` of a training, see `loop.trained`."""
    parser.add_argument("--work", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--start", type=Path, help="a checkpoint whose weights to begin with")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--rate", type=float, default=HIGHEST_RATE, help="highest learning rate")
    add_out(parser)


def add_views(parser: argparse.ArgumentParser, count: int, seed: int, most: int) -> None:
    """`--count`, `--seed`, `--processes` and `--most` of a program that composes views."""
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--most", type=int, default=most, help="of the LFW photos, and of the other pictures")
