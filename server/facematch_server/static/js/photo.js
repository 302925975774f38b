// One photo of the comparison: chosen, dropped, pasted or taken; its preview and what was found in it.
import { openCamera } from "./camera.js";
import { $ } from "./dom.js";
import { entry, text } from "./language.js";
import { clearOverlay, drawOverlay } from "./overlay.js";

export class Photo {
  /** `changed` is called after a new choice; `failed` with a sentence when the camera cannot be used. */
  constructor(section, { changed, failed }) {
    this.number = Number(section.dataset.image);
    this.file = null;
    this.section = section;
    this.changed = changed;
    this.failed = failed;
    section.append($("#photo-template").content.cloneNode(true));
    for (const part of ["stage", "empty", "frame", "unshown", "fault", "file", "clear", "camera"]) {
      this[`${part}Element`] = $(`.${part}`, section);
    }
    this.input = $("input[type=file]", section);
    this.input.name = `img${this.number}`;
    this.image = $(".frame img", section);
    this.footer = $("footer", section);
    this.label();
    this.listen();
  }

  label() {
    const n = this.number;
    this.input.setAttribute("aria-label", text("page.chooseLabel", { n }));
    this.clearElement.setAttribute("aria-label", text("page.clearLabel", { n }));
    this.cameraElement.setAttribute("aria-label", text("page.cameraLabel", { n }));
    this.image.alt = this.file ? text("page.alt", { n, name: this.file.name }) : "";
  }

  listen() {
    const stage = this.stageElement;
    this.input.addEventListener("change", () => this.input.files[0] && this.choose(this.input.files[0]));
    this.clearElement.addEventListener("click", () => { this.choose(null); this.input.focus(); });
    this.cameraElement.addEventListener("click", () => this.shoot());
    this.emptyElement.addEventListener("click", (event) => event.target.closest(".tools") || this.input.click());
    stage.addEventListener("dragover", (event) => { event.preventDefault(); stage.classList.add("over"); });
    stage.addEventListener("dragleave", () => stage.classList.remove("over"));
    stage.addEventListener("drop", (event) => {
      event.preventDefault();
      stage.classList.remove("over");
      if (event.dataTransfer.files[0]) this.choose(event.dataTransfer.files[0]);
    });
  }

  async shoot() {
    try {
      const blob = await openCamera($("#camera"));
      if (blob) await this.choose(new File([blob], "camera.jpg", { type: "image/jpeg" }));
    } catch (error) {
      this.failed(text("page.noCamera", { why: entry(`camera.${error.name}`) ?? error.message }));
    }
  }

  async choose(file) {
    this.file = file;
    this.input.value = "";
    this.emptyElement.hidden = Boolean(file);
    this.footer.hidden = !file;
    this.fileElement.textContent = file ? file.name : "";
    this.clearFindings();
    this.changed();
    await this.preview();
    this.label();
  }

  /** Show the file, or say that this browser cannot. The service reads formats that browsers do not (HEIC, TIFF). */
  async preview() {
    URL.revokeObjectURL(this.address);
    this.address = this.file ? URL.createObjectURL(this.file) : "";
    this.shown = false;
    const file = this.file;
    if (file) {
      this.image.src = this.address;
      this.shown = await this.image.decode().then(() => true, () => false);
      if (file !== this.file) return; // another choice came meanwhile
    }
    this.frameElement.hidden = !this.shown;
    this.unshownElement.hidden = !file || this.shown;
    this.unshownElement.textContent = text("page.unshown");
  }

  showFindings(found, warnings) {
    if (this.shown) return drawOverlay(this.frameElement, found, warnings);
    if (!found.crop) return undefined;
    this.image.src = `data:image/jpeg;base64,${found.crop}`;
    this.frameElement.hidden = false;
    this.unshownElement.textContent = text("page.cropShown");
    return undefined;
  }

  showFault(sentence) {
    this.section.classList.add("faulty");
    this.faultElement.textContent = sentence;
    this.faultElement.hidden = false;
  }

  clearFindings() {
    this.section.classList.remove("faulty");
    this.faultElement.hidden = true;
    clearOverlay(this.frameElement);
    if (this.file && !this.shown) this.frameElement.hidden = true;
  }
}
