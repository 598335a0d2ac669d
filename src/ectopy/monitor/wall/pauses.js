// The form that pauses audio or alarms.

import { make } from "./words.js";

export class PauseForm {
  /** act(pause): what is to be done, as the service takes it; streams(): [id, label] of each */
  constructor(root, act, streams) {
    this.dialog = root.querySelector(".pausing");
    this.streams = streams;
    this.choice = this.dialog.querySelector("[name=stream]");
    this.dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      const said = Object.fromEntries(new FormData(event.target));
      this.dialog.close();
      act({ what: said.what, stream: said.stream || null, seconds: Number(said.minutes) * 60, reason: said.reason });
    });
    this.dialog.querySelector("[data-cancel]").addEventListener("click", () => this.dialog.close());
  }

  open() {
    const all = make("option", { value: "" }, "all streams");
    this.choice.replaceChildren(all, ...this.streams().map(([id, label]) => make("option", { value: id }, label)));
    this.dialog.showModal();
  }
}
