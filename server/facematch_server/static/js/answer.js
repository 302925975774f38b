// The answer in one glance: percent on the scale, verdict in words, the compared faces, warnings.
import { $, make, present } from "./dom.js";
import { entry, percentage, text } from "./language.js";
import { listWarnings } from "./warnings.js";

/** Show a reply. `announced` also moves the focus to the verdict and reads it to a screen reader. */
export function showAnswer(reply, warnings, announced) {
  const compared = reply.cosine !== null;
  const verdict = compared ? reply.verdict : "nothing";
  const { name, meaning } = entry(`verdict.${verdict}`);
  const p = percentage(reply.percent);
  $("#answer").dataset.verdict = verdict;
  $("#percent").textContent = text("page.percent", { p });
  $("#verdict").textContent = name;
  $("#meaning").textContent = meaning;
  $("#scale").style.setProperty("--at", `${reply.percent}%`);
  $("#scale").setAttribute("aria-label", text("page.scaleLabel", { p }));
  $("#uncalibrated").hidden = reply.calibrated;
  showFaces(reply.images);
  listWarnings(warnings);
  $("#checks").textContent = countOfChecks(reply.findings);
  $("#answer").hidden = false;
  if (!announced) return;
  present($("#verdict"), $("#answer"));
  $("#announce").textContent = text("page.announce", { p, verdict: name, warnings: $("#warnings-title").textContent });
}

function showFaces(images) {
  const faces = images.map((image, index) => {
    const label = text("page.face", { n: index + 1 });
    if (!image.aligned) return make("span", { className: "no-face", textContent: text("page.noFace") });
    return make("img", { src: `data:image/jpeg;base64,${image.aligned}`, alt: label, width: 112, height: 112 });
  });
  $("#faces").replaceChildren(...faces, make("figcaption", { textContent: text("page.faces") }));
}

function countOfChecks(findings) {
  const count = (outcome) => findings.filter((finding) => finding.outcome === outcome).length;
  const passed = text("page.checksPassed", { passed: count("passed"), all: findings.length });
  const open = count("not_assessed");
  return open ? `${passed} ${text("page.checksNotAssessed", { n: open })}` : passed;
}
