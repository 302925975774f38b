"""Portraits and backgrounds that synthetic cases are drawn from, of one half of the data."""

from __future__ import annotations

from pathlib import Path

from scripts.development.split import held_out, held_out_people


def portraits_and_grounds(data: Path, unseen: bool) -> tuple[list[Path], list[Path]]:
    """The first photo of each person of LFW, and the photos without a document."""
    people = held_out_people(data / "lfw_pairs.csv")
    portraits = sorted((data / "lfw").rglob("*_0001.jpg"))
    grounds = sorted((data / "no_card").iterdir())
    return (
        [p for p in portraits if held_out(p.relative_to(data).as_posix(), people) is unseen],
        [p for p in grounds if held_out(f"no_card/{p.name}") is unseen],
    )
