// How sure the model pack is: its measured verdicts as bars, in a dialog one click away.
import { $, make } from "./dom.js";
import { entry, number, text } from "./language.js";

export function showFigures({ pack, expectations }) {
  const parts = [make("p", { textContent: text(expectations ? "page.figuresOf" : "page.figuresNone", { pack }) })];
  if (expectations) {
    parts.push(make("h3", { textContent: text("page.mated") }),
      make("ul", {}, ...expectations.mated_per_100.map((figure) => item(figure, "page.figuresMated"))),
      make("h3", { textContent: text("page.nonMated") }),
      make("ul", {}, ...expectations.non_mated_per_100000.map((figure) => item(figure, "page.figuresNonMated", false))),
      make("p", { textContent: text("page.figuresEnd") }));
  }
  $("#figures").replaceChildren(...parts);
}

/** A bar helps for 100 comparisons; of 100,000 nothing would be seen. */
function item(figure, words, withBar = true) {
  const [match, unsure, no] = [figure.match, figure.unsure, figure.no_match].map((value) => number(value));
  return make("li", {},
    make("span", { className: "population", textContent: entry(`population.${figure.population}`) ?? figure.population }),
    ...(withBar ? [bar(figure)] : []),
    make("strong", { textContent: text(words, { match, unsure, no }) }),
    make("span", { className: "fine", textContent: size(figure) }));
}

function bar({ match, unsure, no_match: no }) {
  const element = make("span", { className: "stack", "aria-hidden": "true" });
  for (const [style, share] of [["yes", match], ["unsure", unsure], ["no", no]]) {
    const part = make("span", { className: style });
    part.style.flexGrow = share;
    element.append(part);
  }
  return element;
}

function size({ pairs, people }) {
  if (!pairs) return "";
  const [n, count] = [pairs, people].map((value) => number(value ?? 0, { maximumFractionDigits: 0 }));
  return people ? text("page.sampleOf", { n, people: count }) : text("page.sample", { n });
}
