// What this screen is like: the ruler by which millimetres are true, whether single keys do something, notifications.

import { mm, rulerFactor, setRuler } from "./paper.js";
import { say } from "./words.js";

export class Settings {
  constructor(root, desk, notes, changed) {
    this.notes = notes;
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
    this.allow = this.dialog.querySelector(".notes button");
    this.allow.addEventListener("click", () => notes.ask().finally(() => this._noted()));
    show();
  }

  open() {
    this._noted();
    this.dialog.showModal();
  }

  _noted() {
    say(this.dialog.querySelector(".notes span"), this.notes.off || "on, for alarms of high and medium priority.");
    this.allow.hidden = !this.notes.askable;
  }
}
