"""`facematch batch`: a list of pairs to a list of results."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facematch_local.cli.console import EngineName, console
from facematch_local.cli.provider_option import Providers, provider_settings

if TYPE_CHECKING:
    from facematch_local.batch.cluster.engine import ClusterSettings
    from facematch_local.batch.job import Job, Summary
    from facematch_local.providers import ProviderSettings

_HINT = "run the same command with --resume to go on"


def batch(
    pairs: Annotated[
        Path, typer.Argument(help="Columns path1,path2[,type1][,id], as .csv, .jsonl or .parquet.", metavar="PAIRS")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The result, as .csv, .jsonl or .parquet.")],
    root: Annotated[
        str | None, typer.Option(help="Folder or URL that paths are relative to; default the folder of PAIRS.")
    ] = None,
    pack: Annotated[str | None, typer.Option(help="Model pack, by name or folder.", envvar="FACEMATCH_PACK")] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Policy file with other limits.", envvar="FACEMATCH_POLICY")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Processes or actors; default one for each usable CPU."),
    ] = None,
    chunk: Annotated[int, typer.Option(min=1, max=100_000, help="Rows that are saved together.")] = 500,
    keep: Annotated[int, typer.Option(min=2, help="Examined photos to keep for later rows, 3 to 5 kB each.")] = 20_000,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run ended; start if there was none.")
    ] = False,
    sample: Annotated[int | None, typer.Option(min=1, help="Compare this many rows, chosen at random.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the choice of --sample.")] = 0,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first row without a result.")] = False,
    html_path: Annotated[Path | None, typer.Option("--html", help="Write a report that opens without network.")] = None,
    engine: Annotated[EngineName, typer.Option(help="Processes of this machine, or a Ray cluster.")] = EngineName.LOCAL,
    address: Annotated[
        str | None,
        typer.Option(
            help="With --engine ray: HOST:PORT of the cluster's head, or auto; default this machine alone.",
            envvar="RAY_ADDRESS",
        ),
    ] = None,
    carry_photos: Annotated[
        bool,
        typer.Option("--carry-photos", help="With --engine ray: read the photos here and send them to the nodes."),
    ] = False,
    providers: Providers = "cpu",
) -> None:
    """Compare the photos of every row of a list, on all CPUs of this machine or of a cluster.

    Exit code 0 when every row has a result, 1 when rows ended with an error, 2 when the run could not start or go on,
    130 after Ctrl-C. Finished rows stay in the folder OUT.parts until the result is complete.
    """
    from facematch_local.batch.cluster.engine import ClusterSettings
    from facematch_local.batch.engine import FailedRowError
    from facematch_local.batch.job import Job
    from facematch_local.cli.evaluate_common import check_writable
    from facematch_local.cpu import available_cpus

    if carry_photos and engine is EngineName.LOCAL:
        raise typer.BadParameter("needs --engine ray", param_hint="--carry-photos")
    check_writable(html_path)
    job = Job(
        pairs=pairs,
        out=out,
        root=root or str(pairs.parent),
        jobs=jobs or available_cpus(),
        chunk=chunk,
        sample=sample,
        seed=seed,
        kept=keep,
        resume=resume,
        fail_fast=fail_fast,
    )
    try:
        cluster = ClusterSettings(address, jobs, carry_photos) if engine is EngineName.RAY else None
        # Each process examines one photo at a time, on one thread.
        asked = provider_settings(providers, concurrent_runs=1)
        summary = _run(job, cluster, pack, policy, asked, html_path)
    except KeyboardInterrupt:
        console(stderr=True).print(f"interrupted; {_HINT}", markup=False)
        raise typer.Exit(130) from None
    except FailedRowError as error:
        fault = error.outcome.fault
        said = f"{fault.code}: {fault.reason}" if fault else ""
        console(stderr=True).print(f"stopped: row {error.outcome.id}: {said}; {_HINT}", markup=False)
        raise typer.Exit(1) from None
    if summary.tally.failed:
        raise typer.Exit(1)


def _run(
    job: Job,
    cluster: ClusterSettings | None,
    pack: str | None,
    policy: Path | None,
    providers: ProviderSettings,
    html_path: Path | None,
) -> Summary:
    import logging

    from facematch_local.batch.cluster.engine import RayEngine
    from facematch_local.batch.examining import ExaminerSettings
    from facematch_local.batch.job import run
    from facematch_local.batch.local import LocalEngine
    from facematch_local.batch.progress import ConsoleWatcher
    from facematch_local.batch.workers import Workers
    from facematch_local.cli.evaluate_common import write
    from facematch_local.packs import DEFAULT_PACK, find_pack
    from facematch_local.policy import load_policy

    # Client libraries of storages log URLs, which may have secrets, and without a handler Python prints warnings.
    logging.getLogger().addHandler(logging.NullHandler())
    find_pack(pack or DEFAULT_PACK)
    if policy is not None:
        load_policy(policy)
    # Processes of a cluster have other working folders.
    where = os.path.abspath(pack) if pack and os.sep in pack else pack or DEFAULT_PACK
    opener = ExaminerSettings(where, policy and policy.absolute(), providers)
    with ConsoleWatcher(console(stderr=True)) as watcher:
        engine = RayEngine(opener, cluster) if cluster else LocalEngine(Workers(opener, job.jobs))
        summary = run(job, engine, watcher)
    _show(job, summary, watcher.seconds)
    if html_path is not None:
        from facematch_local.batch.report import page

        write(html_path, page(summary.tally, summary.record, watcher.seconds, summary.resumed))
    return summary


def _show(job: Job, summary: Summary, seconds: float) -> None:
    from facematch_local.batch.tally import VERDICTS

    tally, out = summary.tally, console(stderr=True)
    counts = [(verdict, tally.verdicts[verdict]) for verdict in VERDICTS]
    verdicts = ", ".join(f"{verdict.replace('_', ' ')} {count:,}" for verdict, count in counts)
    out.print(f"{tally.rows:,} rows in {job.out}: {verdicts}", markup=False)
    if tally.errors:
        errors = ", ".join(f"{code} {count:,}" for code, count in sorted(tally.errors.items()))
        out.print(f"rows without a result: {errors}", markup=False)
    examined = tally.rows - summary.resumed
    if examined and seconds > 0:
        out.print(f"{examined:,} rows in {seconds:.1f} s, {examined / seconds:.1f} a second", markup=False)
