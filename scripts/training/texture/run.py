"""The texture network end to end, one command: squares, training on simulations, training on recaptures, figures.

    python -m scripts.training.texture.run --data DATA --work WORK

First without any real recapture, then with those of the development things. The weights shipped lie between the two.
The limit of view and texture together is in `facematch_local.checks.recapture`. The pack wants `seal_pack.py`
afterwards.
"""

from __future__ import annotations

from scripts.training.common.arguments import add_out, parser_of
from scripts.training.common.steps import step


def main() -> None:
    parser = parser_of(__doc__, "data", "work")
    parser.add_argument("--share", type=float, default=0.25, help="of the way from the first training to the second")
    parser.add_argument("--steps", type=int, default=900, help="without real recaptures")
    parser.add_argument("--more", type=int, default=400, help="steps with real recaptures")
    add_out(parser)
    arguments = parser.parse_args()
    data, work = arguments.data, arguments.work
    step("texture.data", "--data", data, "--work", work)
    step(
        "texture.train", "--data", data, "--work", work, "--without", "a", "b", "f", "--name", "base",
        "--steps", arguments.steps,
    )  # fmt: skip
    step(
        "texture.train", "--data", data, "--work", work, "--start", work / "base.pt", "--name", "all",
        "--steps", arguments.more, "--rate", 1.2e-3,
    )  # fmt: skip
    step(
        "texture.between", "--work", work, "--start", "base", "--end", "all", "--share", arguments.share,
        "--name", "shipped",
    )  # fmt: skip
    step("texture.scores", "--data", data, "--work", work, "--name", "shipped")
    step("texture.evaluate", "--work", work, "--name", "shipped")
    step("texture.export", "--work", work, "--name", "shipped", "--out", arguments.out)


if __name__ == "__main__":
    main()
