// The warnings of a reply as sentences with advice, numbered, each for one photo.
import { $, make } from "./dom.js";
import { entry, text } from "./language.js";
import { pointAt } from "./overlay.js";

/** One entry for each kind of fault of each photo, in the order of the codes: number, image, name, what, todo, code. */
export function warningsOf(reply) {
  const raised = reply.findings.filter((finding) => finding.outcome === "warning");
  raised.sort((a, b) => a.code - b.code || a.image - b.image);
  const seen = new Set();
  const warnings = [];
  for (const { image, name, code } of raised) {
    const { what, todo } = sentences(reply, image, name, code);
    // Two measures may say the same of one photo: both sizes of a small face do.
    if (seen.has(`${image} ${todo}`)) continue;
    seen.add(`${image} ${todo}`);
    warnings.push({ number: warnings.length + 1, image, name, what, todo, code });
  }
  return warnings;
}

/** List the warnings; each points at its place in the photo while the pointer or the focus is on it. */
export function listWarnings(warnings) {
  const title = { 0: "page.noWarnings", 1: "page.oneWarning" }[warnings.length] ?? "page.warnings";
  $("#warnings-title").textContent = text(title, { n: warnings.length });
  $("#warnings").hidden = warnings.length === 0;
  $("#warnings").replaceChildren(...warnings.map(item));
}

function item({ number, image, what, todo, code }) {
  const label = text("page.warningLabel", { n: number, image });
  const badge = make("span", { className: "badge", textContent: number, "aria-hidden": "true" });
  const where = `${text("page.inPhoto", { n: image })} · ${text("page.code", { n: code })}`;
  const button = make("button", { type: "button", className: "warning" }, badge,
    make("span", { className: "unseen", textContent: `${label}: ` }),
    make("span", { className: "words" }, make("strong", { textContent: what }), ` ${todo}`,
      make("span", { className: "where", textContent: where })));
  for (const start of ["pointerenter", "focus"]) button.addEventListener(start, () => pointAt(number));
  for (const end of ["pointerleave", "blur"]) button.addEventListener(end, () => pointAt(null));
  button.addEventListener("click", () => {
    pointAt(number);
    $(`[data-image="${image}"] .stage`).scrollIntoView({ block: "nearest" });
  });
  return make("li", {}, button);
}

function sentences(reply, image, name, code) {
  const role = reply.images[image - 1].role;
  const found = entry(`warning.${role}.${name}`, `warning.${name}`, "warning.other");
  const message = reply.warnings.find((warning) => warning.code === code)?.message ?? name;
  return { what: found.what.replace("{message}", message), todo: found.todo };
}
