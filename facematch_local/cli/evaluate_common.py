"""Options, input and output that the evaluation commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facematch_local.cli.console import console
from facematch_local.cli.provider_option import provider_settings, show_refusals
from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from facematch_local.evaluation.reporting.html import TableView
    from facematch_local.evaluation.verification.dataset import Dataset
    from facematch_local.evaluation.verification.evaluate import Evaluation
    from facematch_local.evaluation.verification.report import Thumbnail
    from facematch_local.packs import LoadedPack

Sources = Annotated[
    list[Path],
    typer.Argument(
        help="A CSV of pairs (path1,path2,same[,group][,fold]), a CSV of photos (path,subject[,group]), "
        "or folders with a folder per person."
    ),
]
Pack = Annotated[str | None, typer.Option(help="Model pack, by name or folder.", envvar="FACEMATCH_PACK")]
Root = Annotated[Path | None, typer.Option(help="Folder that paths in the CSV start from; default its own folder.")]
JsonPath = Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")]
HtmlPath = Annotated[Path | None, typer.Option("--html", help="Write a report that opens without a network.")]
Replicates = Annotated[int, typer.Option(min=20, help="Number of resamplings for the confidence intervals.")]
AllPairs = Annotated[
    bool,
    typer.Option(
        "--all-pairs", help="Compare every photo of a CSV of pairs with every other one, as is always done for folders."
    ),
]


THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 112, 85


def open_pack(name: str | None, providers: str = "cpu") -> LoadedPack:
    """The pack, with one thread per session: the photos are processed in parallel.

    Args:
        name: name or folder of the pack; None for the best installed one.
        providers: the asked execution providers.

    Raises:
        PackError, ProviderError: the pack or the providers cannot be used.
    """
    from facematch_local.packs import DEFAULT_PACK, SessionSettings, find_pack, load_pack

    sessions = SessionSettings(intra_op_threads=1, providers=provider_settings(providers))
    loaded = load_pack(find_pack(name or DEFAULT_PACK), sessions)
    show_refusals(loaded)
    return loaded


def read_dataset(sources: list[Path], root: Path | None, all_pairs: bool = False) -> Dataset:
    """The photos, people and pairs of the sources."""
    from facematch_local.evaluation.verification.dataset import read

    dataset = read(sources, root)
    return dataset.with_all_pairs() if all_pairs else dataset


def run(
    pack: LoadedPack, dataset: Dataset, replicates: int = 200, read: Callable[[Path], bytes] = Path.read_bytes
) -> Evaluation:
    """Embed and compare, with progress on standard error.

    Raises:
        FacematchError: no pair could be compared.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from facematch_local.cpu import available_cpus
    from facematch_local.evaluation.verification.embed import embed_photos
    from facematch_local.evaluation.verification.evaluate import evaluate

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    out = console(stderr=True)
    with Progress(*columns, console=out, disable=not out.is_terminal) as progress:
        photos = progress.add_task("photos", total=len(dataset.photos))
        embeddings = embed_photos(
            pack.analyser, dataset.photos, available_cpus(), lambda: progress.advance(photos), read=read
        )
        comparing = progress.add_task("comparisons", total=100)
        evaluation = evaluate(
            dataset,
            embeddings,
            pack.calibration,
            replicates,
            lambda share: progress.update(comparing, completed=100 * share),
        )
    if not evaluation.overall.comparisons.mated.count + evaluation.overall.comparisons.non_mated.count:
        _show_problems([problem.where + ": " + problem.reason for problem in evaluation.problems])
        raise FacematchError(f"{dataset.name}: no pair of photos with a face on both; nothing was compared")
    return evaluation


def show(data: dict[str, Any]) -> None:
    """Print the tables and notes of a report."""
    from facematch_local.evaluation.verification import tables

    shown = [tables.summary_table(data)]
    if data["groups"]:
        shown.append(tables.group_table(data))
    shown.append(tables.target_table(data))
    for view in shown:
        if view.rows:
            print_table(view)
    out = console()
    for line in (*tables.differential_lines(data), *tables.notes(data)):
        out.print(line, markup=False)
    listed = [f"{problem['where']}: {problem['reason']}" for problem in data["problems"]["listed"]]
    _show_problems(listed, data["problems"]["count"])


def print_table(view: TableView) -> None:
    """Print a table; texts are not markup."""
    from rich.table import Table

    table = Table(*view.header, title=view.title or None, title_justify="left")
    for row in view.rows:
        table.add_row(*row)
    console().print(table, markup=False)


def write(path: Path, text: str) -> None:
    """Write a result.

    Raises:
        FacematchError: the file cannot be written.
    """
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise FacematchError(f"{path}: {error.strerror or type(error).__name__}") from None
    console(stderr=True).print(f"wrote {path}", markup=False)


def today() -> str:
    """The date in UTC, ISO 8601."""
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()


def check_writable(path: Path | None) -> None:
    """Fail before the run if an output cannot be written.

    Raises:
        FacematchError: the folder of the output does not exist, the output is a folder, or it may not be written.
    """
    if path is None:
        return
    folder = path.absolute().parent
    if not folder.is_dir():
        raise FacematchError(f"{path}: the folder {folder} does not exist")
    if os.path.isdir(path):
        raise FacematchError(f"{path}: is a folder, not a file")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise FacematchError(f"{path}: may not be written")


def _show_problems(lines: list[str], count: int | None = None, shown: int = 20) -> None:
    if not lines:
        return
    out = console(stderr=True)
    count = count or len(lines)
    out.print(f"{count} lines or files were left out or have doubtful labels:", markup=False)
    for line in lines[:shown]:
        out.print("  " + line, markup=False)
    if count > shown:
        out.print(f"  ... and {count - shown} more (all in --json)", markup=False)


def thumbnails_of(pack: LoadedPack, read: Callable[[Path], bytes] = Path.read_bytes) -> Thumbnail:
    """A function that cuts the compared face from a photo as a small JPEG."""

    def cut(path: Path) -> bytes | None:
        from facematch_local.evaluation.reporting.thumbnails import thumbnail
        from facematch_local.imaging.decode import decode
        from facematch_local.matcher import face_crop

        photo = decode(read(path))
        faces = pack.analyser.find(photo.pixels)
        if not faces:
            return None
        return thumbnail(face_crop(photo, faces[0]), THUMBNAIL_SIDE, THUMBNAIL_QUALITY)

    return cut
