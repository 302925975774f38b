"""`facematch calibrate`: compute or check the curve from cosine to percent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from facematch_local.cli.console import console
from facematch_local.cli.evaluate_common import (
    AllPairs,
    Pack,
    Replicates,
    Root,
    Sources,
    open_pack,
    read_dataset,
    run,
    today,
    write,
)
from facematch_local.errors import FacematchError


def calibrate(
    sources: Sources,
    pack: Pack = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Calibration file to write.")] = Path("calibration.json"),
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Write no file; report whether the curve in use keeps its promises on these photos."
        ),
    ] = False,
    extrapolate: Annotated[
        bool,
        typer.Option("--extrapolate", help="Extrapolate if the photos are too few; the calibration file records it."),
    ] = False,
    all_pairs: AllPairs = False,
    root: Root = None,
    replicates: Replicates = 400,
) -> None:
    """Compute the curve from cosine to percent from labelled photos, or from the JSON of an evaluation.

    Exit code 1 when --check finds a broken promise; 2 when the photos are too few for a curve.
    """
    from facematch_local.evaluation.verification.calibrate import fit
    from facematch_local.evaluation.verification.data import as_data

    if len(sources) == 1 and sources[0].suffix.lower() == ".json":
        data = _read_report(sources[0])
    else:
        loaded = open_pack(pack)
        data = as_data(run(loaded, read_dataset(sources, root, all_pairs), replicates), loaded, today())
    if check:
        _print_check(data)
        return
    content = fit(data, date=today(), extrapolate=extrapolate)
    _print_anchors(content)
    write(out, json.dumps(content, indent=1) + "\n")


def _read_report(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if data["format"] != 1 or not {"overall", "groups", "pack"} <= set(data):
            raise ValueError
    except OSError as error:
        raise FacematchError(f"{path}: {error.strerror or type(error).__name__}") from None
    except (ValueError, KeyError, TypeError):
        raise FacematchError(f"{path}: not the JSON of `facematch evaluate verification`") from None
    return data


def _print_anchors(content: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("mark", "population", "promised FMR", "people", "non-mated", "cosine", "with interval", "")
    for anchor in content["anchors"]:
        for item in anchor["evidence"]:
            decides = (item["scope"] or "random pairs") == anchor["decided_by"]
            table.add_row(
                f"{anchor['percent']} %",
                item["scope"] or "random pairs",
                f"{item['fmr']:g}",
                f"{item['people']:,}",
                f"{item['non_mated']:,}",
                f"{item['threshold']:.4f}",
                f"{item['upper']:.4f}",
                ("decides " if decides else "") + ("extrapolated" if item["extrapolated"] else ""),
            )
    out = console()
    out.print(table)
    marks = ", ".join(f"{anchor['percent']} % at cosine {anchor['cosine']:.4f}" for anchor in content["anchors"])
    out.print(f"{content['id']}: {marks}", markup=False)


def _print_check(data: dict[str, Any]) -> None:
    from rich.table import Table

    from facematch_local.evaluation.verification.promises import PromiseStatus, check
    from facematch_local.evaluation.verification.tables import interval_text

    results = check(data)
    table = Table("mark", "population", "promised FMR", "measured", "95 % interval", "non-mated", "promise")
    for item in results:
        table.add_row(
            f"{item.percent} %",
            item.scope or "random pairs",
            f"{item.promised:g}",
            f"{item.fmr:.2e}",
            interval_text((item.low, item.high)),
            f"{item.non_mated:,}",
            item.status.value,
        )
    out = console()
    out.print(table)
    out.print(f"curve {data['pack']['calibration']}", markup=False)
    if any(item.status is PromiseStatus.BROKEN for item in results):
        out.print("The curve breaks a promise for these people: compute a new one with `facematch calibrate`.")
        raise typer.Exit(1)
