// Who sits here and whether they would notice: the name, sound, a hidden tab, the heartbeat that tells the service.

import { clockTime, make, plural, say } from "./words.js";

const NAME = "ectopy.who";
const BEAT_MS = 30_000;

export class Desk {
  /** named: told the name, where this page was the first to hear it */
  constructor(root, service, alarms, sound, name, named) {
    Object.assign(this, { root, service, alarms, sound, named });
    if (name) sessionStorage.setItem(NAME, name); // as it was given on another page
    else if (this.name) named(this.name);
    this.banners = root.querySelector(".banners");
    this.form = root.querySelector(".who");
    this.field = root.querySelector(".who input");
    this.shortcuts = localStorage.getItem("ectopy.shortcuts") !== "off";
    this._hidden = null;
    this._stop = new AbortController();
    this._title = document.title;
    const signal = { signal: this._stop.signal };
    this.form.addEventListener("submit", (event) => this._enter(event), signal);
    root.querySelector(".sound").addEventListener("click", () => this._arm(), signal);
    root.querySelector(".name").addEventListener("click", () => this.ask(), signal);
    document.addEventListener("visibilitychange", () => this._turned(), signal);
    this._timers = [setInterval(() => this._beat(), BEAT_MS), setInterval(() => this.draw(), 500)];
    this._beat();
    this.draw();
  }

  get name() {
    return sessionStorage.getItem(NAME);
  }

  close() {
    this._stop.abort();
    this._timers.forEach(clearInterval);
    document.title = this._title;
  }

  /** Ask who is here; what was meant to be done is done by a second click. */
  ask() {
    this.form.hidden = false;
    this.field.value = this.name ?? "";
    this.field.focus();
  }

  /** A line that goes by itself: what was refused, say. */
  tell(text, seconds = 8) {
    const line = make("div", { class: "banner", role: "status" }, text);
    this.banners.append(line);
    setTimeout(() => line.remove(), seconds * 1000);
  }

  draw() {
    const { alarms, sound, root } = this;
    sound.keep(document.hidden ? null : alarms.audible);
    const unseen = alarms.unseen;
    const open = unseen.length ? `(${unseen.length} ${unseen[0].priority}) ` : "";
    const title = `${document.hidden ? "Not watched · " : ""}${alarms.connected ? open : "disconnected · "}Ectopy`;
    if (document.title !== title) document.title = title;
    if (!this.name && !this._asked) {
      this._asked = true;
      this.form.hidden = false;
    }
    root.querySelector(".silent").hidden = sound.armed || !this.form.hidden;
    say(root.querySelector(".name"), this.name ? `At the desk: ${this.name}` : "Who is at the desk?");
  }

  async _enter(event) {
    event.preventDefault();
    const name = this.field.value.trim().slice(0, 64);
    if (!name) return;
    sessionStorage.setItem(NAME, name);
    this.named(name);
    this.form.hidden = true;
    await this._arm();
  }

  async _arm() {
    await this.sound.arm().catch(() => this.tell("This browser gives no sound."));
    this.draw();
  }

  /** Only who looks counts as a viewer: without one the service escalates at once. */
  _beat() {
    if (!document.hidden) this.service.post("/v1/viewers").catch(() => {});
  }

  _turned() {
    if (document.hidden) {
      this._hidden = { since: Date.now(), raised: this.alarms.raised };
    } else if (this._hidden) {
      const raised = this.alarms.raised - this._hidden.raised;
      const what = raised ? ` ${plural(raised, "alarm")} came meanwhile.` : "";
      this.tell(`Hidden since ${clockTime(this._hidden.since)}: a hidden tab is no alarm channel.${what}`, 15);
      this._hidden = null;
      this._beat();
    }
    this.draw();
  }
}
