// The API key: typed once, kept for this tab once it works, folded away then.
import { $ } from "./dom.js";
import { text } from "./language.js";

const STORED = "facematch-key";
const box = $("#keys");
const key = $("#api-key");
const secret = $("#api-secret");

export function restoreKey() {
  const stored = JSON.parse(sessionStorage.getItem(STORED) ?? "null");
  if (stored) [key.value, secret.value] = stored;
  box.open = !stored;
  showState();
}

export function keyWorks() {
  sessionStorage.setItem(STORED, JSON.stringify([key.value, secret.value]));
  $("#first-use").hidden = true;
  box.open = false;
  showState();
}

export function keyFails() {
  sessionStorage.removeItem(STORED);
  box.open = true;
  showState();
}

/** The field that still needs a value, or null. */
export function missingKeyField() {
  return [key, secret].find((field) => !field.value) ?? null;
}

export function openKeys() {
  box.open = true;
}

export function showState() {
  const kept = sessionStorage.getItem(STORED) !== null;
  $("#keys-state").textContent = text(kept ? "page.keysRemembered" : "page.keysNeeded");
}

/** The `Authorization` header. */
export function authorization() {
  const bytes = new TextEncoder().encode(`${key.value}:${secret.value}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
