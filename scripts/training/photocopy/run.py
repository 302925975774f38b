"""The photocopy network end to end, one command: views, training, checksums, figures.

    python -m scripts.training.photocopy.run --data DATA --models MODELS --others PICTURES [PICTURES ...] --work WORK

PICTURES are folders of pictures without documents, as for the document network: cards lie on them.
"""

from __future__ import annotations

from scripts.training.common.arguments import add_others, parser_of
from scripts.training.common.repository import COMPACT
from scripts.training.common.steps import seal, step


def main() -> None:
    parser = parser_of(__doc__, "data", "models", "work")
    add_others(parser)
    arguments = parser.parse_args()
    views = arguments.work / "views"
    if not (views / "copies.npy").exists():
        step(
            "photocopy.data", "--data", arguments.data, "--teachers", arguments.models / "teachers",
            "--faces", arguments.work / "faces.json", "--others", *arguments.others, "--out", views,
        )  # fmt: skip
    step("photocopy.train", "--views", views, "--work", arguments.work)
    seal(COMPACT)
    step("photocopy.evaluate", "--data", arguments.data)


if __name__ == "__main__":
    main()
