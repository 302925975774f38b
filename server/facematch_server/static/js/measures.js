// All measures, grouped by photo, failing ones first, each as a bar of its value against its limit.
import { $, make } from "./dom.js";
import { entry, number, reason, text } from "./language.js";

const ORDER = ["warning", "not_assessed", "passed"];
const STYLES = { warning: "failed", not_assessed: "not_assessed", passed: "passed" };
const OUTCOMES = { warning: "page.warning", not_assessed: "page.notAssessed", passed: "page.passed" };

export function showMeasures(reply) {
  $("#measures-count").textContent = text("page.measuresCount", { n: reply.findings.length });
  $("#measures").replaceChildren(...[1, 2].map((image) => {
    const role = text(`page.${reply.images[image - 1].role}`);
    const findings = reply.findings.filter((finding) => finding.image === image);
    findings.sort((a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome));
    return make("section", {},
      make("h3", { textContent: `${text("page.inPhoto", { n: image })} · ${role}` }),
      make("ul", {}, ...findings.map(row)));
  }));
}

function row(finding) {
  const assessed = finding.value !== null;
  const value = assessed ? `${number(finding.value)} ${unit(finding.unit)}`.trim() : reason(finding.reason);
  const name = entry(`measure.${finding.name}`) ?? finding.name;
  return make("li", { className: `measure ${STYLES[finding.outcome]}` },
    make("span", { className: "name", textContent: name, title: finding.name }),
    make("span", { className: "outcome", textContent: text(OUTCOMES[finding.outcome]) }),
    ...(assessed ? [bar(finding)] : []),
    make("span", { className: "value", textContent: value }),
    make("span", { className: "limit", textContent: limits(finding) }));
}

/** The value as a bar, the limits as marks, on a scale from 0 to 1, or to twice the limit for other units. */
function bar({ value, minimum, maximum }) {
  const limit = Math.max(minimum ?? 0, maximum ?? 0);
  const full = Math.max(value, limit <= 1 && value <= 1 ? 1 : 2 * limit);
  const element = make("span", { className: "bar", "aria-hidden": "true" }, make("span", { className: "fill" }));
  element.style.setProperty("--value", `${Math.max(100 * value / full, 0)}%`);
  for (const mark of [minimum, maximum].filter((bound) => bound !== null)) {
    const line = make("span", { className: "bound" });
    line.style.left = `${100 * mark / full}%`;
    element.append(line);
  }
  return element;
}

function limits({ minimum, maximum }) {
  const parts = [];
  if (minimum !== null) parts.push(text("page.atLeast", { n: number(minimum) }));
  if (maximum !== null) parts.push(text("page.atMost", { n: number(maximum) }));
  return parts.join(", ");
}

function unit(name) {
  return entry(`unit.${name}`) ?? name;
}
