// English and Vietnamese. The choice is kept in the page's address (#vi), so a link can carry it; nothing is stored.
import { TEXTS } from "./texts.js";

export function language() {
  if (location.hash === "#vi") return "vi";
  if (location.hash === "#en") return "en";
  return navigator.language.toLowerCase().startsWith("vi") ? "vi" : "en";
}

export function text(name) {
  return TEXTS[language()][name] ?? TEXTS.en[name] ?? name;
}

export function setLanguage(name) {
  history.replaceState(null, "", `#${name}`);
  document.documentElement.lang = name;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  const button = document.querySelector("#language");
  button.textContent = text("other");
  button.setAttribute("aria-label", text("other"));
  button.lang = name === "en" ? "vi" : "en";
}
