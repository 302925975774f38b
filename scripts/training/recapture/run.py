"""The recapture network end to end, one command: captures, training, figures.

    python -m scripts.training.recapture.run --data DATA --teachers TEACHERS --others PICTURES --work WORK

PICTURES is one folder of pictures of other things. Every stage keeps its result in WORK and is skipped when it is
there. The pack wants `seal_pack.py` afterwards.
"""

from __future__ import annotations

from scripts.training.common.arguments import add_out, parser_of
from scripts.training.common.steps import step


def main() -> None:
    parser = parser_of(__doc__, "data", "teachers", "others", "work")
    parser.add_argument("--steps", type=int, default=5000, help="of the distillation")
    add_out(parser)
    arguments = parser.parse_args()
    data, teachers, work = arguments.data, arguments.teachers, arguments.work
    step(
        "recapture.train", "--data", data, "--teachers", teachers, "--others", arguments.others, "--work", work,
        "--steps", arguments.steps, "--out", arguments.out,
    )  # fmt: skip
    step(
        "recapture.evaluate", "--data", data, "--teachers", teachers, "--work", work,
        "--steps", arguments.steps, "--out", arguments.out,
    )  # fmt: skip


if __name__ == "__main__":
    main()
