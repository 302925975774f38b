// Small helpers around the document.

export const $ = (selector, root = document) => root.querySelector(selector);

/** Create an element: properties or `data-`/`aria-` attributes by name, then children (elements or text). */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Show a heading that has just appeared: focus it for the keyboard and the screen reader, then bring it into view. */
export function present(heading, section) {
  heading.focus({ preventScroll: true });
  const { top, bottom } = heading.getBoundingClientRect();
  const isInSight = top >= 0 && bottom <= innerHeight / 2;
  if (!isInSight) section.scrollIntoView({ block: "start" });
}
