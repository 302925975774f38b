// The forms of the API description: send a request to this service, show the reply.
"use strict";

const SHOWN_HEADERS = ["x-request-id", "x-facematch-warnings", "x-facematch-scenario", "retry-after"];
const LONGEST_TEXT = 60;

document.querySelector(".credentials").hidden = false;
for (const details of document.querySelectorAll(".try")) {
  details.hidden = false;
  const form = details.querySelector("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, details.querySelector("output"));
  });
  // In the contract `format_type` names the kind of body; the two fields follow each other.
  const { format_type: format, body } = form.elements;
  format?.addEventListener("change", () => { if (body) body.value = format.value; });
  body?.addEventListener("change", () => { if (format) format.value = body.value; });
}

async function send(form, output) {
  const query = new URLSearchParams();
  for (const field of form.querySelectorAll("[data-query]")) if (field.value) query.append(field.name, field.value);
  // Relative to the folder of this page, so that a proxy may put it under another path.
  const path = form.dataset.path.slice(1) + (query.size ? `?${query}` : "");
  const button = form.querySelector("button");
  button.disabled = true;
  output.hidden = false;
  output.replaceChildren("…");
  const began = performance.now();
  try {
    const options = { method: form.dataset.method, headers: headers(form), ...(await body(form)) };
    const response = await fetch(path, options);
    const text = await response.text();
    show(output, response, text, Math.round(performance.now() - began), curl(form, path));
  } catch (error) {
    output.replaceChildren(`No reply: ${error.message}`);
  }
  button.disabled = false;
}

// `credentials: omit`: no window of the browser that asks for a password after a 401.
async function body(form) {
  const photos = [...form.querySelectorAll("[data-photo]")];
  if (!photos.length) return { credentials: "omit" };
  if (form.elements.body.value === "file") {
    const parts = new FormData();
    for (const photo of photos) parts.append(photo.name, photo.files[0]);
    return { credentials: "omit", body: parts };
  }
  const texts = {};
  for (const photo of photos) texts[photo.name] = await base64(photo.files[0]);
  return { credentials: "omit", body: JSON.stringify(texts) };
}

function headers(form) {
  const given = {};
  if (form.elements.body?.value === "base64") given["Content-Type"] = "application/json";
  const key = document.getElementById("key").value;
  if (key && "key" in form.dataset) {
    const bytes = new TextEncoder().encode(`${key}:${document.getElementById("secret").value}`);
    given.Authorization = `Basic ${btoa(String.fromCharCode(...bytes))}`;
  }
  return given;
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

function show(output, response, text, milliseconds, command) {
  const status = document.createElement("p");
  status.append(strong(`HTTP ${response.status}`), ` in ${milliseconds} ms`);
  for (const name of SHOWN_HEADERS) {
    if (response.headers.has(name)) status.append(` · ${name}: ${response.headers.get(name)}`);
  }
  output.replaceChildren(status);
  let reply = text;
  try {
    const parsed = JSON.parse(text);
    for (const crop of crops(parsed)) {
      const picture = document.createElement("img");
      picture.alt = "face crop of the reply";
      picture.src = `data:image/jpeg;base64,${crop}`;
      output.append(picture);
    }
    reply = JSON.stringify(parsed, (_, value) => shortened(value), 2);
  } catch { /* not JSON, such as /metrics */ }
  output.append(pre(reply), pre(command));
}

function* crops(value) {
  if (typeof value === "string" && value.startsWith("/9j/")) yield value;
  else if (value && typeof value === "object") for (const inner of Object.values(value)) yield* crops(inner);
}

function shortened(value) {
  const long = typeof value === "string" && value.startsWith("/9j/") && value.length > LONGEST_TEXT;
  return long ? `${value.slice(0, LONGEST_TEXT)}… (${value.length} characters)` : value;
}

function curl(form, path) {
  const parts = ["curl"];
  if (form.dataset.method !== "GET" && !form.elements.body) parts.push(`-X ${form.dataset.method}`);
  if ("key" in form.dataset) parts.push("-u $API_KEY:$API_SECRET");
  if (form.elements.body?.value === "file") parts.push("-F img1=@card.jpg -F img2=@selfie.jpg");
  if (form.elements.body?.value === "base64") parts.push("-H 'Content-Type: application/json' -d @photos.json");
  parts.push(`'${new URL(path, document.baseURI).href.replaceAll("'", "%27")}'`);
  return parts.join(" ");
}

function strong(text) {
  const element = document.createElement("b");
  element.textContent = text;
  return element;
}

function pre(text) {
  const element = document.createElement("pre");
  element.textContent = text;
  element.tabIndex = 0; // so that the keys scroll it
  return element;
}
