"""Values of `facematch_local.checks.tampering` on tampered and on untouched synthetic cards, to choose a limit.

    python -m scripts.training.tampering.evaluate --data DATA --pack PACK --cards 80

Cards are drawn around LFW portraits (`facematch_local.synthetic`), compressed once and twice, and tampered with:
portraits pasted, blended, pasted after another compression, text edited. The limit of the policy is chosen on the first
half of the people; the second half shows its effect.
"""

from __future__ import annotations

import itertools

import numpy as np

from facematch_local import synthetic
from facematch_local.checks.check import Role
from facematch_local.checks.examination import Examination
from facematch_local.checks.tampering import portrait_substitution, text_alteration
from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import Photo
from facematch_local.packs import find_pack, load_pack
from facematch_local.policy import load_policy
from scripts.development.split import held_out, held_out_people
from scripts.training.common.arguments import parser_of

MEASURES = {"portrait_substitution": portrait_substitution, "text_alteration": text_alteration}
TAMPERED = ("paste", "blended", "recompressed")


def variants(own: np.ndarray, other: np.ndarray, rng: np.random.Generator, passport: bool) -> dict[str, np.ndarray]:
    drawn = synthetic.draw_card(own, rng, int(rng.choice([600, 800, 1000])), passport)
    once = synthetic.Card(synthetic.jpeg(drawn.pixels, int(rng.integers(70, 96))), drawn.portrait)
    quality = int(rng.integers(75, 96))
    swaps = {kind: synthetic.jpeg(synthetic.swap_portrait(once, other, rng, kind), quality) for kind in TAMPERED}
    text = synthetic.jpeg(synthetic.edit_text(once, rng), quality)
    return {"once": once.pixels, "twice": synthetic.jpeg(once.pixels, quality), **swaps, "text": text}


def main() -> None:
    parser = parser_of(__doc__, "data")
    parser.add_argument("--pack", required=True)
    parser.add_argument("--cards", type=int, default=80)
    options = parser.parse_args()
    limits = {name: load_policy().limits[Role.CARD][name].maximum for name in MEASURES}
    people = held_out_people(options.data / "lfw_pairs.csv")
    photos = sorted((options.data / "lfw").rglob("*_0001.jpg"))[::11]
    halves = [
        [p for p in photos if held_out(p.relative_to(options.data).as_posix(), people) is h] for h in (False, True)
    ]
    loaded = load_pack(find_pack(options.pack))
    values: dict[tuple[bool, str, str], list[float]] = {}
    for index in range(options.cards):
        rng = np.random.default_rng(index)
        half = halves[index % 2]
        own, other = (decode(half[i % len(half)].read_bytes()).pixels for i in (index * 3, index * 3 + 1))
        for kind, pixels in variants(own, other, rng, index % 3 == 0).items():
            examination = Examination(Photo(pixels), Role.CARD, tuple(loaded.analyser.find(pixels)), loaded.networks)
            for name, measure in MEASURES.items():
                found = measure(examination).value
                if found is not None:
                    values.setdefault((index % 2 == 1, name, kind), []).append(found)
    for (unseen, side), name in itertools.product(((False, "tuned"), (True, "unseen")), MEASURES):
        untouched = values[unseen, name, "once"] + values[unseen, name, "twice"]
        shares = ", ".join(f"{100 - q} % above {np.percentile(untouched, q):.2f}" for q in (90, 95, 99))
        print(f"{side}, {name}: {len(untouched)} untouched cards, {shares}")
        for kind in ("once", "twice", *TAMPERED, "text"):
            each = np.array(values[unseen, name, kind])
            print(f"  {kind}: {len(each)} cards, {np.mean(each > limits[name]):.2f} above {limits[name]}")


if __name__ == "__main__":
    main()
