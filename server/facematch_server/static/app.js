// The page's flow: choose two photos, call /v1/compare, show what came back. No framework, nothing from elsewhere.
import { drawPhoto, loadPhoto } from "./photo.js";
import { openCamera } from "./camera.js";
import { curlFor, showResult } from "./result.js";
import { language, setLanguage, text } from "./language.js";

const $ = (selector, root = document) => root.querySelector(selector);
const state = { photos: { 1: null, 2: null }, reply: null };

const stages = [...document.querySelectorAll(".photo")].map((section) => ({
  number: Number(section.dataset.image),
  canvas: $("canvas", section),
  drop: $(".drop", section),
  input: $("input[type=file]", section),
  clear: $(".clear", section),
  camera: $(".camera", section),
  aligned: $(".aligned", section),
}));

for (const stage of stages) {
  stage.input.addEventListener("change", () => stage.input.files[0] && choose(stage, stage.input.files[0]));
  stage.drop.addEventListener("dragover", (event) => { event.preventDefault(); stage.drop.classList.add("over"); });
  stage.drop.addEventListener("dragleave", () => stage.drop.classList.remove("over"));
  stage.drop.addEventListener("drop", (event) => {
    event.preventDefault();
    stage.drop.classList.remove("over");
    if (event.dataTransfer.files[0]) choose(stage, event.dataTransfer.files[0]);
  });
  stage.clear.addEventListener("click", () => choose(stage, null));
  stage.camera.addEventListener("click", async () => {
    try {
      const blob = await openCamera($("#camera"));
      if (blob) await choose(stage, new File([blob], "camera.jpg", { type: "image/jpeg" }));
    } catch (error) {
      say(text("noCamera") + error.message);
    }
  });
}

$("#form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!$("#api-key").value || !$("#api-secret").value) return say(text("needKeys"), $("#api-key"));
  if (!state.photos[1] || !state.photos[2]) {
    return say(text("needPhotos"), stages.find((stage) => !state.photos[stage.number]).input);
  }
  return compare();
});

$("#language").addEventListener("click", () => {
  setLanguage(language() === "en" ? "vi" : "en");
  if (state.reply) showResult(state.reply, curl());
});

$("#copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("#curl").textContent);
  $("#copy").textContent = text("copied");
  setTimeout(() => { $("#copy").textContent = text("copy"); }, 1500);
});

const tabs = [$("#tab-documented"), $("#tab-observed")];
for (const tab of tabs) {
  tab.addEventListener("click", () => selectTab(tab));
  tab.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = tabs[1 - tabs.indexOf(tab)];
    selectTab(other);
    other.focus();
  });
}

function selectTab(chosen) {
  for (const tab of tabs) {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
  }
  $("#wire-panel").setAttribute("aria-labelledby", chosen.id);
  if (state.reply) showResult(state.reply, curl());
}

async function choose(stage, file) {
  say("");
  clearResult();
  state.photos[stage.number] = file;
  stage.clear.hidden = !file;
  stage.drop.classList.toggle("filled", Boolean(file));
  stage.canvas.hidden = true;
  if (!file) { stage.input.value = ""; return; }
  // A format the browser cannot show (HEIC, TIFF) may still be one the service reads: send it all the same.
  const bitmap = await loadPhoto(file);
  if (bitmap) drawPhoto(stage.canvas, bitmap, null);
  else stage.drop.classList.remove("filled");
}

function type1() {
  return $("input[name=type1]:checked").value;
}

function curl() {
  return curlFor(state.photos, type1());
}

async function compare() {
  const button = $("#compare");
  button.disabled = true;
  button.textContent = text("comparing");
  say("");
  clearResult();
  try {
    const body = new FormData();
    body.append("img1", state.photos[1]);
    body.append("img2", state.photos[2]);
    const secret = new TextEncoder().encode(`${$("#api-key").value}:${$("#api-secret").value}`);
    const response = await fetch(`v1/compare?type1=${type1()}`, {
      method: "POST",
      body,
      // "omit": otherwise the browser answers a 401 with its own password dialog.
      credentials: "omit",
      headers: { Authorization: `Basic ${btoa(String.fromCharCode(...secret))}` },
    });
    const reply = await response.json();
    if (!response.ok) return say(`${text("odd")}${reply.errorCode} ${reply.errorMessage}`);
    state.reply = reply;
    for (const stage of stages) {
      const image = reply.images[stage.number - 1];
      const bitmap = await loadPhoto(state.photos[stage.number]);
      if (bitmap) drawPhoto(stage.canvas, bitmap, image);
      stage.aligned.hidden = !image.aligned;
      if (image.aligned) $("img", stage.aligned).src = `data:image/jpeg;base64,${image.aligned}`;
    }
    showResult(reply, curl());
    $("#result").focus({ preventScroll: false });
  } catch {
    say(text("unreachable"));
  } finally {
    button.disabled = false;
    button.textContent = text("compare");
  }
  return undefined;
}

function clearResult() {
  state.reply = null;
  $("#result").hidden = true;
  for (const stage of stages) stage.aligned.hidden = true;
}

function say(words, focus = null) {
  $("#message").textContent = words;
  $("#message").hidden = !words;
  if (focus) focus.focus();
}

setLanguage(language());
fetch("version").then((response) => response.json())
  .then((about) => {
    $("#scenarios").hidden = !about.scenarios;
    $("#pack-notice").hidden = !about.notice;
    // The figures are those of this pack; docs/accuracy.md has them for others.
    $("#how-sure").hidden = about.pack !== "standard";
  })
  .catch(() => {});
