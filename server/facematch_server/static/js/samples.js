// Three pairs to try with one click. All photos are in the public domain; the cards are drawn.
import { $, make } from "./dom.js";
import { text } from "./language.js";

const SAMPLES = [
  { name: "sampleMatch", files: ["card", "portrait"] },
  { name: "sampleOther", files: ["other-card", "portrait"] },
  { name: "sampleGlasses", files: ["card", "sunglasses"] },
];

/** Fill the list; `tried` is called with the two files of the chosen pair, `failed` with a sentence. */
export function offerSamples(tried, failed) {
  $("#samples").replaceChildren(...SAMPLES.map(({ name, files }) => {
    const pictures = files.map((file) => make("img", { src: `static/samples/small/${file}.jpg`, alt: "" }));
    const words = make("span", { "data-text": `page.${name}`, textContent: text(`page.${name}`) });
    const button = make("button", { type: "button", className: "sample" }, ...pictures, words);
    button.addEventListener("click", async () => {
      try {
        await tried(await Promise.all(files.map(load)));
      } catch {
        failed(text("page.sampleFailed"));
      }
    });
    return button;
  }));
}

async function load(name) {
  const response = await fetch(`static/samples/${name}.jpg`);
  if (!response.ok) throw new Error(response.statusText);
  return new File([await response.blob()], `${name}.jpg`, { type: "image/jpeg" });
}
