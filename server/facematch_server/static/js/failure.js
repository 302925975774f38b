// A comparison that did not take place: which photo, why, what to do, and the request id.
import { $, present } from "./dom.js";
import { entry, reason, text } from "./language.js";

/**
 * Show a failure: `code` as in the texts, `image` 1, 2 or null, and what the service said. `announced` also moves the
 * focus to it and reads it to a screen reader. Returns its title.
 */
export function showFailure({ code, image, sentence, message, requestId, seconds }, announced) {
  const { title, advice } = wordsFor(code, image, seconds);
  const known = entry(`error.${code}`) !== undefined;
  $("#failure-title").textContent = title.replace("{n}", image);
  const why = sentence ? asSentence(reason(sentence)) : known ? "" : message;
  $("#failure-reason").textContent = why;
  $("#failure-reason").hidden = !why;
  $("#failure-advice").textContent = advice.replace("{s}", seconds);
  $("#failure-id").textContent = requestId ? text("page.requestIdIs", { id: requestId }) : "";
  $("#failure").hidden = false;
  if (announced) {
    present($("#failure-title"), $("#failure"));
    $("#announce").textContent = `${$("#failure-title").textContent}. ${why}`;
  }
  return $("#failure-title").textContent;
}

function asSentence(words) {
  return `${words[0].toUpperCase()}${words.slice(1)}.`;
}

function wordsFor(code, image, seconds) {
  if (code === "4" && seconds) return entry("error.4.wait");
  return (image ? undefined : entry(`error.${code}.any`)) ?? entry(`error.${code}`, "error.other");
}
