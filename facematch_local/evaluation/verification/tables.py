"""Tables and notes of a verification report, shared by the page and the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facematch_local.evaluation.reporting.html import TableView
from facematch_local.evaluation.verification.bootstrap import FEW_SUBJECTS
from facematch_local.evaluation.verification.rates import RULE_OF_30


def summary_table(data: Mapping[str, Any]) -> TableView:
    """Error rates of everyone at both marks."""
    overall = data["overall"]
    rows = []
    for percent in ("65", "75"):
        mark = overall["at_percent"][percent]
        rows.append(
            [
                f"{percent} %",
                f"{mark['cosine']:.4f}",
                fmr_text(mark["fmr"], overall["non_mated"]),
                interval_text(mark["fmr_interval"]),
                rate_text(mark["fnmr"]),
                interval_text(mark["fnmr_interval"], "{:.2%}"),
                rate_text(mark["tmr"]),
                rate_text(mark["gfnmr"]),
            ]
        )
    header = ["mark", "cosine", "FMR", "95 % interval", "FNMR", "95 % interval", "TMR", "FNMR with FTA"]
    return TableView(header, rows)


def group_table(data: Mapping[str, Any]) -> TableView:
    """Error rates of everyone and of each group."""
    rows = []
    for group in (data["overall"], *data["groups"]):
        at65, at75 = group["at_percent"]["65"], group["at_percent"]["75"]
        rows.append(
            [
                group["name"] or "everyone",
                f"{group['people']:,}",
                f"{group['mated']:,}",
                f"{group['non_mated']:,}",
                fmr_text(at65["fmr"], group["non_mated"]),
                interval_text(at65["fmr_interval"]),
                fmr_text(at75["fmr"], group["non_mated"]),
                interval_text(at75["fmr_interval"]),
                rate_text(at75["tmr"]),
                rate_text(group["eer"]),
            ]
        )
    header = ["group", "people", "mated", "non-mated", "FMR at 65", "95 %", "FMR at 75", "95 %", "TMR at 75", "EER"]
    return TableView(header, rows)


def target_table(data: Mapping[str, Any]) -> TableView:
    """Thresholds at stated FMRs that the number of comparisons supports."""
    rows = []
    for scope in (data["overall"], *data["groups"]):
        for target in scope["fmr_targets"]:
            if target["supported"]:
                rough = "" if target["false_matches"] >= RULE_OF_30 else " (rough: under 30 errors)"
                rows.append(
                    [
                        scope["name"] or "everyone",
                        f"{target['fmr']:g}{rough}",
                        f"{target['threshold']:.4f}",
                        interval_text(target["threshold_interval"], "{:.3f}"),
                        rate_text(target["tmr"]),
                    ]
                )
    return TableView(["group", "FMR", "cosine", "95 % interval", "TMR"], rows)


def differential_lines(data: Mapping[str, Any]) -> list[str]:
    """Differential performance of the groups as sentences."""
    lines = []
    for item in data["differential"]:
        for kind in ("fmr", "fnmr"):
            group, ratio = item[f"worst_{kind}_group"], item[f"{kind}_ratio"]
            if group and ratio is not None:
                lines.append(
                    f"At {item['percent']} % the group with the highest {kind.upper()} is {group}: "
                    f"{ratio:.1f} times that of everyone."
                )
    return lines


def notes(data: Mapping[str, Any]) -> list[str]:
    """The facts that a reader needs to read the figures."""
    dataset, overall = data["dataset"], data["overall"]
    fta = "unknown" if data["fta"] is None else rate_text(data["fta"])
    lines = [
        f"{dataset['photos']:,} photos, {dataset['readable']:,} readable, {dataset['with_face']:,} with a face: "
        f"failure to acquire {fta}. FMR and FNMR count completed comparisons; 'FNMR with FTA' also counts a mated pair "
        "with a photo without a face as not matched. Unreadable files do not count.",
        f"{overall['mated']:,} mated and {overall['non_mated']:,} non-mated comparisons of {overall['people']:,} "
        "people. Intervals: 95 %, from people drawn with replacement. A rate x needs at least 3/x comparisons.",
    ]
    if data["lfw_accuracy"]:
        accuracy = data["lfw_accuracy"]
        how = "as listed" if accuracy["folds_given"] else "drawn at random, since the list names none"
        lines.append(
            f"Accuracy by the LFW protocol: {100 * accuracy['mean']:.2f} % +- {100 * accuracy['standard_error']:.2f} "
            f"({accuracy['folds']} folds {how}; threshold chosen on the other folds)."
        )
    if dataset["copies_left_out"]:
        lines.append(f"{dataset['copies_left_out']:,} further copies of a file under the same person were left out.")
    few = [scope["name"] or "everyone" for scope in (overall, *data["groups"]) if scope["people"] < FEW_SUBJECTS]
    if few:
        lines.append(f"The intervals are rough with fewer than {FEW_SUBJECTS} people: {', '.join(few)}.")
    return lines


def fmr_text(rate: float | None, count: int) -> str:
    """A rate as text; without errors its upper bound by the rule of 3."""
    if rate is None:
        return "-"
    return f"< {3 / count:.1e}" if rate == 0 and count else f"{rate:.2e}"


def rate_text(rate: float | None) -> str:
    """A rate in percent, as text."""
    return "-" if rate is None else f"{100 * rate:.2f} %"


def interval_text(interval: Sequence[float | None], form: str = "{:.1e}") -> str:
    """An interval as text, each end in `form`."""
    low, high = interval
    return "-" if low is None or high is None else f"{form.format(low)} .. {form.format(high)}"
