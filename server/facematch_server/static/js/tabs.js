// Tabs with one panel of text each, and a button that copies it.
import { make } from "./dom.js";
import { text } from "./language.js";

/** Fill `root` with a tab for each `[name, content]`; `copyable` adds the button. Keeps the chosen tab. */
export function showTabs(root, entries, copyable = false) {
  const chosen = root.dataset.chosen ?? entries[0][0];
  const panel = make("pre", { tabIndex: 0, role: "tabpanel", id: `${root.id}-panel` });
  const tabs = entries.map(([name]) => make("button", {
    type: "button", role: "tab", id: `${root.id}-${name}`, textContent: name, "aria-controls": panel.id,
  }));
  const select = (name) => {
    root.dataset.chosen = name;
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab.textContent === name));
      tab.tabIndex = tab.textContent === name ? 0 : -1;
    }
    panel.textContent = entries.find((candidate) => candidate[0] === name)[1];
    panel.setAttribute("aria-labelledby", `${root.id}-${name}`);
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => select(tab.textContent));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      const next = tabs[(index + step + tabs.length) % tabs.length];
      select(next.textContent);
      next.focus();
    });
  });
  root.replaceChildren(make("div", { role: "tablist", className: "tabs" }, ...tabs), panel,
    ...(copyable ? [copyButton(panel)] : []));
  select(chosen);
}

function copyButton(panel) {
  const button = make("button", { type: "button", className: "copy", textContent: text("page.copy") });
  button.addEventListener("click", async () => {
    // Browsers offer the clipboard on https and on this machine only.
    const copied = await Promise.resolve(navigator.clipboard?.writeText(panel.textContent).then(() => true, () => false));
    button.textContent = text(copied ? "page.copied" : "page.notCopied");
    setTimeout(() => { button.textContent = text("page.copy"); }, 2000);
  });
  return button;
}
