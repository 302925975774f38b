"""The document network end to end, one command: views, training, checksums, figures.

    python -m scripts.training.document.run --data DATA --models MODELS --others PICTURES [PICTURES ...] --work WORK

PICTURES are folders of pictures without documents: those of `common/pictures.py`, and photos out of the packages in
`photos.csv`, chosen by eye. Pictures that the pack's present network mistakes for documents count for more.
"""

from __future__ import annotations

from scripts.training.common.arguments import add_others, parser_of
from scripts.training.common.repository import COMPACT
from scripts.training.common.steps import option, seal, step


def main() -> None:
    parser = parser_of(__doc__, "data", "models", "work")
    add_others(parser)
    parser.add_argument("--steps", type=int, default=14000)
    arguments = parser.parse_args()
    views, earlier = arguments.work / "views", COMPACT / "networks" / "document.onnx"
    if not (views / "views.npy").exists():
        step(
            "document.data", "--data", arguments.data, "--teachers", arguments.models / "teachers",
            "--faces", arguments.work / "faces.json", "--others", *arguments.others, "--out", views,
            *option("earlier", earlier if earlier.exists() else None),
        )  # fmt: skip
    step("document.train", "--views", views, "--work", arguments.work, "--steps", arguments.steps)
    seal(COMPACT)
    step("document.evaluate", "--data", arguments.data)


if __name__ == "__main__":
    main()
