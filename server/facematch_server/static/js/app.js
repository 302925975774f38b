// The page's flow: choose two photos, call /v1/compare, show the answer. No framework, nothing from elsewhere.
import { showAnswer } from "./answer.js";
import { showDetails } from "./details.js";
import { $ } from "./dom.js";
import { showFailure } from "./failure.js";
import { showFigures } from "./figures.js";
import { authorization, keyFails, keyWorks, missingKeyField, openKeys, restoreKey, showState } from "./keys.js";
import { applyLanguage, hasWords, switchLanguage, text } from "./language.js";
import { Photo } from "./photo.js";
import { offerSamples } from "./samples.js";
import { warningsOf } from "./warnings.js";

// How long the page waits for the facts about the service before it shows itself without them.
const PATIENCE_MS = 500;

const state = { about: {}, reply: null, failure: null, request: null };

const about = fetch("version").then((response) => response.json()).then(describeService).catch(() => {});
await applyLanguage();
if (state.about.pack) showFigures(state.about);
const photos = [...document.querySelectorAll(".photo")].map((section) =>
  new Photo(section, { changed: forget, failed: say }));
offerSamples(trySample, say);
restoreKey();

$("#form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (isComplete()) compare();
});
for (const radio of document.querySelectorAll("input[name=type1]")) radio.addEventListener("change", forget);
$("#again").addEventListener("click", async () => {
  for (const photo of photos) await photo.choose(null);
  photos[0].input.focus();
});
$("#language").addEventListener("click", async () => {
  await switchLanguage();
  for (const photo of photos) photo.label();
  showState();
  if (state.about.pack) showFigures(state.about);
  if (state.reply) showReply(false);
  if (state.failure) tellFailure(false);
});
$("#how-sure").addEventListener("click", () => { $("#sure").showModal(); $("#sure-title").focus(); });
$("#sure-close").addEventListener("click", () => $("#sure").close());
document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((candidate) => candidate.type.startsWith("image/"));
  if (file) place(file);
});
// Without this, a browser leaves the page for a file that is dropped beside a photo.
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  if (event.defaultPrevented) return; // a photo took it
  event.preventDefault();
  if (event.dataTransfer.files[0]) place(event.dataTransfer.files[0]);
});
await Promise.race([about, new Promise((resolve) => { setTimeout(resolve, PATIENCE_MS); })]);
document.documentElement.dataset.ready = "true";

/** Show the facts about the service; the page works without them. */
function describeService(facts) {
  state.about = facts;
  $("#scenarios").hidden = !state.about.scenarios;
  $("#pack-notice").hidden = !state.about.notice;
  $("#first-use").hidden = !state.about.first_use || missingKeyField() === null;
  if (hasWords()) showFigures(state.about);
}

/** Take a file that was given to the page as a whole: for the photo in focus, else the first empty one. */
function place(file) {
  const target = photos.find((photo) => photo.section.contains(document.activeElement))
    ?? photos.find((photo) => !photo.file) ?? photos[1];
  target.choose(file);
}

/** Whether a comparison can start; says what is missing otherwise. */
function isComplete() {
  const empty = photos.find((photo) => !photo.file);
  if (empty) return say(text("page.needPhoto", { n: empty.number }), empty.input);
  const field = missingKeyField();
  if (!field) return true;
  openKeys();
  return say(text("page.needKeys"), field);
}

async function trySample(files) {
  $("input[value=card]").checked = true;
  await Promise.all(photos.map((photo, index) => photo.choose(files[index])));
  if (isComplete()) await compare();
}

async function compare() {
  forget();
  const request = new AbortController();
  state.request = request;
  busy(true);
  try {
    const body = new FormData();
    for (const photo of photos) body.append(`img${photo.number}`, photo.file);
    const response = await fetch(`v1/compare?type1=${$("input[name=type1]:checked").value}`, {
      method: "POST",
      body,
      // "omit": otherwise the browser answers a 401 with its own password dialog.
      credentials: "omit",
      headers: { Authorization: authorization() },
      signal: request.signal,
    });
    const reply = await response.json();
    if (response.status === 401) keyFails();
    else if (response.ok || response.status === 422) keyWorks(); // other errors may come before the check of the key
    if (response.ok) {
      state.reply = reply;
      showReply(true);
    } else {
      state.failure = failureOf(response, reply);
      tellFailure(true);
    }
  } catch {
    if (request.signal.aborted) return; // an input changed meanwhile
    state.failure = { code: "unreachable", image: null };
    tellFailure(true);
  } finally {
    if (state.request === request) busy(false);
  }
}

function failureOf(response, reply) {
  return {
    code: reply.errorCode,
    message: reply.errorMessage,
    image: reply.image ?? null,
    sentence: reply.reason,
    requestId: response.headers.get("X-Request-ID"),
    seconds: response.headers.get("Retry-After"),
  };
}

function showReply(announced) {
  const warnings = warningsOf(state.reply);
  for (const photo of photos) {
    photo.showFindings(state.reply.images[photo.number - 1], warnings.filter(({ image }) => image === photo.number));
  }
  $("#workspace").dataset.state = "answer";
  showDetails(state.reply, photos.map((photo) => photo.file.name), state.about.api_port);
  showAnswer(state.reply, warnings, announced);
}

function tellFailure(announced) {
  $("#workspace").dataset.state = "failure";
  const title = showFailure(state.failure, announced);
  photos.find((photo) => photo.number === state.failure.image)?.showFault(title);
}

/** Remove an answer or a failure, which no longer belongs to the inputs. */
function forget() {
  state.request?.abort();
  Object.assign(state, { reply: null, failure: null, request: null });
  busy(false);
  say("");
  for (const id of ["#answer", "#failure", "#details"]) $(id).hidden = true;
  $("#announce").textContent = "";
  delete $("#workspace").dataset.state;
  for (const photo of photos) photo.clearFindings();
}

function busy(on) {
  const button = $("#compare");
  button.disabled = on;
  button.textContent = text(on ? "page.comparing" : "page.compare");
  if (on) $("#announce").textContent = text("page.comparing");
}

/** Say a sentence above the button, and focus a field; empty words hide it. Always false. */
function say(words, focus = null) {
  $("#message").textContent = words;
  $("#message").hidden = !words;
  focus?.focus();
  return false;
}
