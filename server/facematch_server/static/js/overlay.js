// Findings drawn over a photo: the compared face, the card's outline, and a numbered place for each warning.
import { make, svg } from "./dom.js";
import { boxOf, placesOf } from "./places.js";

/** Draw over the picture in `frame`; `warnings` are those of this photo. */
export function drawOverlay(frame, image, warnings) {
  clearOverlay(frame);
  const drawing = svg("svg", { viewBox: `0 0 ${image.width} ${image.height}`, "aria-hidden": "true", class: "overlay" });
  if (image.document) drawing.append(polygon(image.document, "outline"));
  if (image.faces[0]) drawing.append(polygon(boxOf(image.faces[0]), "face"));
  frame.append(drawing);
  for (const warning of warnings) {
    for (const corners of placesOf(warning.name, image)) {
      const place = polygon(corners, "place");
      place.dataset.warning = warning.number;
      drawing.append(place);
      frame.append(badge(warning.number, corners, image));
    }
  }
}

export function clearOverlay(frame) {
  for (const element of frame.querySelectorAll(".overlay, .badge")) element.remove();
}

/** Make the places of one warning stand out; null for none. */
export function pointAt(number) {
  for (const frame of document.querySelectorAll(".frame")) {
    const own = frame.querySelectorAll(`[data-warning="${number}"]`);
    frame.classList.toggle("pointed", own.length > 0);
    for (const element of frame.querySelectorAll("[data-warning]")) {
      element.classList.toggle("active", element.dataset.warning === String(number));
    }
  }
}

function polygon(corners, style) {
  const points = corners.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  return svg("g", { class: style }, svg("polygon", { points, class: "halo" }), svg("polygon", { points, class: "line" }));
}

function badge(number, corners, { width, height }) {
  const x = Math.min(...corners.map((corner) => corner[0]));
  const y = Math.min(...corners.map((corner) => corner[1]));
  const element = make("span", { className: "badge", textContent: number, "aria-hidden": "true" });
  element.dataset.warning = number;
  element.style.left = `${within(100 * x / width)}%`;
  element.style.top = `${within(100 * y / height)}%`;
  return element;
}

const within = (percent) => Math.min(Math.max(percent, 4), 96);
