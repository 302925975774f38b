"""The texture network end to end, one command: squares, training on simulations, training on recaptures, figures.

    python -m scripts.training.texture.run --data DATA --work WORK --shift SHIFT

First without any real recapture, then with those of the development things. `--shift` is the logit of the limit that
`texture.evaluate` prints, less that of the policy's limit. The pack wants `seal_pack.py` afterwards.
"""

from __future__ import annotations

from scripts.training.common.arguments import add_out, parser_of
from scripts.training.common.steps import step


def main() -> None:
    parser = parser_of(__doc__, "data", "work")
    parser.add_argument("--shift", type=float, default=0.0)
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
    step("texture.scores", "--data", data, "--work", work, "--name", "all")
    step("texture.evaluate", "--work", work, "--name", "all")
    step("texture.export", "--work", work, "--name", "all", "--shift", arguments.shift, "--out", arguments.out)
    step("common.ranges", "texture", arguments.out / "networks" / "texture.onnx")


if __name__ == "__main__":
    main()
