// Behind the answer, folded: measures, the reply of the API, the call, times and versions.
import { $, make } from "./dom.js";
import { callsFor } from "./calls.js";
import { entry, number, text } from "./language.js";
import { showMeasures } from "./measures.js";
import { showTabs } from "./tabs.js";

/** `apiPort` is the port of the contract's endpoint where it differs from that of the page. */
export function showDetails(reply, names, apiPort) {
  showMeasures(reply);
  showTabs($("#wire"), ["documented", "observed"].map((profile) => [profile, shorten(reply.wire[profile])]));
  showTabs($("#call"), callsFor(names, reply.images[0].role, apiPort), true);
  $("#facts").replaceChildren(...facts(reply).flatMap(([name, value]) => [
    make("dt", { textContent: name }), make("dd", { textContent: value }),
  ]));
  $("#details").hidden = false;
}

function facts(reply) {
  const stages = Object.entries(reply.timings).map(([stage, seconds]) => [
    entry(`stage.${stage}`) ?? stage,
    text("page.seconds", { n: number(1000 * seconds, { maximumFractionDigits: 0 }) }),
  ]);
  return [
    ...stages,
    [text("page.pack"), reply.pack],
    [text("page.calibration"), reply.calibration],
    [text("page.policy"), reply.policy],
    ...(reply.cosine === null ? [] : [[text("page.cosine"), number(reply.cosine, { maximumFractionDigits: 4 })]]),
    [text("page.requestId"), reply.request_id],
  ];
}

/** The face crops are thousands of characters; their beginning and length say enough here. */
function shorten(wire) {
  return wire.replace(/"(face[12])":\s?"([^"]{40})([^"]*)"/g, (_, key, head, rest) =>
    `"${key}": "${head}${text("page.shortened", { n: number(head.length + rest.length) })}"`);
}
