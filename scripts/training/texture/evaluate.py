"""Error rates by species of attack and by set, from the scores of `scores.py`.

    python -m scripts.training.texture.evaluate --work WORK --name without_b --left-out b

The limit is that of the texture alone by the policy; with `--bpcer` it is taken from the photos of part `limit`. Beside
it stands the APCER at the limit that lets 5 % of the left-out set's own real photos alarm (BPCER 5 %, as the standard
compares systems).
"""

from __future__ import annotations

import numpy as np

from scripts.training.common.arguments import parser_of
from scripts.training.common.image import Array
from scripts.training.common.photos import read_rows
from scripts.training.texture.rates import apcer, bpcer, limit_at, texture_limit


def scores_where(rows: list[dict[str, str]], **wanted: str) -> Array:
    """Scores of the rows whose columns have these values; photos that are too small are left out."""
    return np.array([float(r["score"]) for r in rows if r["score"] and all(r[k] == v for k, v in wanted.items())])


def main() -> None:
    parser = parser_of(__doc__, "work")
    parser.add_argument("--name", required=True)
    parser.add_argument("--left-out", nargs="*", default=[])
    parser.add_argument("--bpcer", type=float, help="share of the photos of part `limit` above the limit")
    arguments = parser.parse_args()
    rows = read_rows(arguments.work / f"{arguments.name}.csv")
    chosen_on = scores_where(rows, part="limit")
    limit = texture_limit() if arguments.bpcer is None else limit_at(chosen_on, arguments.bpcer)
    print(f"{arguments.name}: limit {limit:.3f}; of the limit's photos above it {bpcer(chosen_on, limit)}")
    for source in sorted({r["set"] for r in rows}):
        unseen = [r for r in rows if r["set"] == source and (source in arguments.left_out or r["part"] == "test")]
        real = scores_where(unseen, species="")
        if len(real):
            print(f"  {source}: BPCER {bpcer(real, limit)}, median {np.median(real):.3f}")
        for species in sorted({r["species"] for r in unseen} - {""}):
            found = scores_where(unseen, species=species)
            at_five = apcer(found, limit_at(real, 0.05)) if len(real) else ""
            ranks = (found[:, None] > real[None]).mean() if len(real) else np.nan
            print(f"  {species}: APCER {apcer(found, limit)}; at BPCER 5 % {at_five}; AUC {ranks:.3f}")


if __name__ == "__main__":
    main()
