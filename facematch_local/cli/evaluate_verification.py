"""`facematch evaluate verification`: what do the percents mean for these people?"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facematch_local.cli.console import console
from facematch_local.errors import FacematchError

if TYPE_CHECKING:
    from collections.abc import Callable

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
Root = Annotated[Path | None, typer.Option(help="What paths in the CSV are relative to; default its own folder.")]
Replicates = Annotated[int, typer.Option(min=20, help="Draws of people for the confidence intervals.")]
AllPairs = Annotated[
    bool,
    typer.Option(
        "--all-pairs", help="Compare every photo of a CSV of pairs with every other one (folders always are)."
    ),
]


def verification(
    sources: Sources,
    pack: Pack = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    html_path: Annotated[Path | None, typer.Option("--html", help="Write a report that opens without network.")] = None,
    all_pairs: AllPairs = False,
    thumbnails: Annotated[
        bool,
        typer.Option(
            help="Show the faces of the hardest pairs in the HTML report. They are personal data: leave them out "
            "of a report that is passed on."
        ),
    ] = True,
    root: Root = None,
    replicates: Replicates = 200,
) -> None:
    """Measure FMR, FNMR and the meaning of 65 % and 75 % on labelled photos.

    Lines and files that cannot be used are listed and left out. Exit code 2 when nothing is left to compare.
    """
    from facematch_local.evaluation.verification import report

    for path in (json_path, html_path):
        check_writable(path)
    loaded = open_pack(pack)
    evaluation = run(loaded, read_dataset(sources, root, all_pairs), replicates)
    data = report.as_data(evaluation, loaded, today())
    show(data)
    if json_path is not None:
        write(json_path, json.dumps(data, indent=1) + "\n")
    if html_path is not None:
        write(html_path, report.page(evaluation, data, thumbnails_of(loaded) if thumbnails else None))


def open_pack(name: str | None, *, fallback: bool = True) -> LoadedPack:
    """The pack, with sessions for side-by-side work: the workers are the parallelism."""
    from facematch_local.packs import DEFAULT_PACK, SessionSettings, find_pack, load_pack

    return load_pack(find_pack(name or DEFAULT_PACK), SessionSettings(intra_op_threads=1), fallback=fallback)


def read_dataset(sources: list[Path], root: Path | None, all_pairs: bool = False) -> Dataset:
    """What the sources name."""
    from facematch_local.evaluation.verification.dataset import read

    dataset = read(sources, root)
    return dataset.with_all_pairs() if all_pairs else dataset


def run(
    pack: LoadedPack, dataset: Dataset, replicates: int = 200, read: Callable[[Path], bytes] = Path.read_bytes
) -> Evaluation:
    """Embed and compare, with progress on standard error."""
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
        raise FacematchError(f"{dataset.name}: no pair of photos with a face each; nothing was compared")
    return evaluation


def show(data: dict[str, Any]) -> None:
    """Print the tables and notes of a report."""
    from rich.table import Table

    from facematch_local.evaluation.verification import report

    out = console()
    tables = [report.summary_rows(data)]
    if data["groups"]:
        tables.append(report.group_rows(data))
    tables.append(report.target_rows(data))
    for header, rows in tables:
        if rows:
            table = Table(*header)
            for row in rows:
                table.add_row(*row)
            out.print(table, markup=False)
    for line in (*report.differential_lines(data), *report.notes(data)):
        out.print(line, markup=False)
    listed = [f"{problem['where']}: {problem['reason']}" for problem in data["problems"]["listed"]]
    _show_problems(listed, data["problems"]["count"])


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
    """A place that cannot be written is told before an hour of work, not after it.

    Raises:
        FacematchError: its folder does not exist, it is a folder itself, or it may not be written.
    """
    if path is None:
        return
    folder = path.absolute().parent
    if not folder.is_dir():
        raise FacematchError(f"{path}: the folder {folder} does not exist")
    if os.path.isdir(path):
        raise FacematchError(f"{path}: is a folder, not a file to write")
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise FacematchError(f"{path}: may not be written")


def _show_problems(lines: list[str], count: int | None = None, shown: int = 20) -> None:
    if not lines:
        return
    out = console(stderr=True)
    count = count or len(lines)
    out.print(f"{count} lines or files were left out or look wrong:", markup=False)
    for line in lines[:shown]:
        out.print("  " + line, markup=False)
    if count > shown:
        out.print(f"  ... and {count - shown} more (all in --json)", markup=False)


def thumbnails_of(pack: LoadedPack, read: Callable[[Path], bytes] = Path.read_bytes) -> Thumbnail:
    """Cuts the compared face from a photo."""

    def cut(path: Path) -> bytes | None:
        import cv2

        from facematch_local.imaging.decode import decode, encode_jpeg
        from facematch_local.matcher import face_crop

        photo = decode(read(path))
        faces = pack.analyser.find(photo.pixels)
        if not faces:
            return None
        crop = face_crop(photo, faces[0])
        scale = 112 / max(crop.shape[:2])
        small = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return encode_jpeg(small.astype("uint8"), 85)

    return cut
