// English and Vietnamese. The choice is kept in the page's address (#vi), so a link can carry it; nothing is stored.

const words = { en: null, vi: null };

export function language() {
  if (location.hash === "#vi") return "vi";
  if (location.hash === "#en") return "en";
  return navigator.language.toLowerCase().startsWith("vi") ? "vi" : "en";
}

/** Load the words of the language in use and write them into the page. */
export async function applyLanguage() {
  const name = language();
  words[name] ??= await (await fetch(`static/texts/${name}.json`)).json();
  document.documentElement.lang = name;
  translate(document);
  translate(document.querySelector("#photo-template").content);
  const button = document.querySelector("#language");
  button.textContent = text("page.other");
  button.lang = name === "en" ? "vi" : "en";
}

export function hasWords() {
  return words[language()] !== null;
}

export async function switchLanguage() {
  history.replaceState(null, "", language() === "en" ? "#vi" : "#en");
  await applyLanguage();
}

/** Write the words of a part of the page: `data-text` as content, `data-label` as the accessible name. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]")) {
    const { label, ...values } = element.dataset;
    element.setAttribute("aria-label", text(label, values));
  }
}

/** The text with a path such as `page.compare`; `{name}` in it is replaced by a value. */
export function text(path, values = {}) {
  const found = entry(path) ?? path;
  return found.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The first of several entries that exists, else undefined. Names may contain dots, so only the first dot divides. */
export function entry(...paths) {
  for (const path of paths) {
    const dot = path.indexOf(".");
    const found = words[language()]?.[path.slice(0, dot)]?.[path.slice(dot + 1)];
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A number with the decimal sign of the language. */
export function number(value, options = {}) {
  const digits = Math.abs(value) < 10 ? 3 : 1;
  return Number(value).toLocaleString(language(), { maximumFractionDigits: digits, ...options });
}

/** The percentage of a comparison, always with two decimals. */
export function percentage(value) {
  return number(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** A sentence of the service, in the language of the page. Numbers in it get the language's form. */
export function reason(sentence) {
  for (const [pattern, words_] of entry("reason.patterns") ?? []) {
    const found = new RegExp(`^${pattern}$`).exec(sentence);
    if (found) return words_.replace(/\$(\d)/g, (_, group) => localised(found[group]));
  }
  return sentence;
}

function localised(part) {
  return /^\d+$/.test(part) ? number(part) : part;
}
