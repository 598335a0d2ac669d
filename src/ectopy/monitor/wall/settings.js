// What this screen is like: the ruler by which millimetres are true, and whether single keys do something.

import { mm, rulerFactor, setRuler } from "./paper.js";

export class Settings {
  constructor(root, desk, changed) {
    this.dialog = root.querySelector(".settings");
    const ruler = this.dialog.querySelector("[name=ruler]");
    const bar = this.dialog.querySelector(".ruler");
    const show = () => (bar.style.width = `${50 * mm()}px`);
    ruler.value = rulerFactor();
    ruler.addEventListener("input", () => {
      setRuler(ruler.value);
      show();
      changed();
    });
    const keys = this.dialog.querySelector("[name=shortcuts]");
    keys.checked = desk.shortcuts;
    keys.addEventListener("change", () => {
      desk.shortcuts = keys.checked;
      localStorage.setItem("ectopy.shortcuts", keys.checked ? "on" : "off");
    });
    this.dialog.querySelector("[data-cancel]").addEventListener("click", () => this.dialog.close());
    show();
  }

  open() {
    this.dialog.showModal();
  }
}
