"""The occlusion network end to end, one command: crops, training, figures.

    python -m scripts.training.occlusion.run --data DATA --teachers TEACHERS --work WORK

Every stage keeps its result in WORK and is skipped when it is there: after a change of the labels, take a new WORK. The
pack wants `seal_pack.py` afterwards.
"""

from __future__ import annotations

from scripts.training.common.arguments import add_out, parser_of
from scripts.training.common.steps import step


def main() -> None:
    parser = parser_of(__doc__, "data", "teachers", "work")
    parser.add_argument("--steps", type=int, default=4000)
    add_out(parser)
    arguments = parser.parse_args()
    data, teachers, work = arguments.data, arguments.teachers, arguments.work
    step(
        "occlusion.train", "--data", data, "--teachers", teachers, "--work", work,
        "--steps", arguments.steps, "--out", arguments.out,
    )  # fmt: skip
    step(
        "occlusion.evaluate", "--data", data, "--teachers", teachers, "--work", work,
        "--steps", arguments.steps, "--out", arguments.out,
    )  # fmt: skip


if __name__ == "__main__":
    main()
