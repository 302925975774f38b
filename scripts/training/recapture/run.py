"""The recapture network end to end, one command: composed views, training, the file.

    python -m scripts.training.recapture.run --data DATA --work WORK

`--shift` is the one that `evaluate.py` prints. The pack wants `seal_pack.py` afterwards.
"""

from __future__ import annotations

from scripts.training.common.arguments import add_out, parser_of
from scripts.training.common.steps import step


def main() -> None:
    parser = parser_of(__doc__, "data", "work")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--shift", type=float, default=0.5, help="added to the logit of live")
    add_out(parser)
    arguments = parser.parse_args()
    work = arguments.work
    step("recapture.data", "--data", arguments.data, "--work", work)
    step("recapture.train", "--data", arguments.data, "--work", work, "--steps", arguments.steps)
    step("recapture.evaluate", "--data", arguments.data, "--work", work)
    step("recapture.export", work / "scene.pt", "--shift", arguments.shift, "--out", arguments.out)


if __name__ == "__main__":
    main()
