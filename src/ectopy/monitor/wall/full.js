// One stream in full: all leads as they come, or standing still to be looked at.

import { SPEEDS, mm, speedFor } from "./paper.js";
import { Sweep } from "./sweep.js";
import { drawStill } from "./still.js";
import { beatRows } from "./beats.js";
import { Rebuilt } from "./rebuilt.js";
import { make, say } from "./words.js";

const GAINS = [2.5, 5, 10, 20];
const MAX_ROW_MM = 36;

export class Full {
  constructor(root, service, palette) {
    this.dialog = root.querySelector(".full");
    this.rebuilt = new Rebuilt(root, service, palette);
    this.palette = palette;
    const find = (name) => this.dialog.querySelector(name);
    Object.assign(this, {
      name: find("h2"),
      facts: find(".facts"),
      screen: find(".leads"),
      reading: find(".reading"),
      table: find("tbody"),
    });
    this.buttons = Object.fromEntries(
      [...this.dialog.querySelectorAll("[data-do]")].map((button) => [button.dataset.do, button]),
    );
    for (const [name, button] of Object.entries(this.buttons)) button.addEventListener("click", () => this._do(name));
    this.dialog.addEventListener("close", () => this._closed());
    this.dialog.addEventListener("keydown", (event) => this._key(event));
    this.still = make("canvas", { role: "img", tabindex: "0" });
    this.still.addEventListener("pointerdown", (event) => this._grab(event));
    this.still.addEventListener("pointermove", (event) => this._drag(event));
    this.still.addEventListener("pointerup", () => (this._held = null));
    this._closed();
  }

  get open() {
    return this.dialog.open;
  }

  /** A stream as it comes. */
  live(feed) {
    this._begin(feed.label);
    this.feed = feed;
    this._layout();
  }

  /** A stretch that is over: `mark` s of its epoch is shown, with 10 s before and 20 s after. */
  strip(label, memory, mark) {
    const same = this.open && this.memory !== null && this.mark === mark;
    if (!same) this._begin(label);
    this.memory = memory;
    if (same) {
      this.draw();
      return;
    }
    this.mark = mark;
    this._layout();
    const fits = (this.width / 30 / mm()) * 1.001;
    this.speed = Math.max(SPEEDS[0], SPEEDS.findLast((speed) => speed <= fits) ?? 0);
    const shown = this.width / (this.speed * mm());
    this.from = mark - Math.min(10, shown / 3);
    this.draw();
  }

  /** A frame. */
  step() {
    if (!this.open || this.frozen || !this.feed?.memory) return;
    for (const sweep of this.sweeps) {
      sweep.show(this.feed.memory);
      sweep.advance(this.feed.playout.head);
    }
  }

  /** Marks and words. */
  draw() {
    if (!this.open) return;
    const memory = this.memory ?? this.feed?.memory;
    if (!memory) return;
    if (this.sweeps.length !== memory.leads.length && !this.frozen) this._layout();
    if (this.frozen) {
      const { from, speed, gain, calipers, mark, width, height } = this;
      drawStill(this.still, { memory, from, speed, gain, calipers, mark }, width, height, this.palette());
    } else {
      for (const sweep of this.sweeps) {
        sweep.show(memory);
        sweep.paint(this.feed.playout.head);
      }
    }
    this._words(memory);
  }

  layout() {
    if (this.open) this._layout();
  }

  _begin(label) {
    if (!this.open) this.dialog.showModal();
    this._closed();
    say(this.name, label);
  }

  _closed() {
    Object.assign(this, {
      feed: null,
      memory: null,
      sweeps: [],
      from: 0,
      calipers: null,
      mark: null,
      gain: 10,
      speed: null,
      _held: null,
    });
    this._still = false;
    this._shown = null;
    this.rebuilt.hide();
  }

  get frozen() {
    return this.memory !== null || this._still;
  }

  _layout() {
    const memory = this.memory ?? this.feed.memory;
    if (!memory) return;
    this.screen.replaceChildren();
    this.width = this.screen.clientWidth;
    const room = Math.max(240, this.dialog.clientHeight - 420);
    const rows = memory.leads.length;
    const row = Math.max(60, Math.min(MAX_ROW_MM * mm(), room / rows));
    this.height = Math.round(row * rows + 62);
    this.speed ??= speedFor(this.width);
    if (this.frozen) {
      this.screen.append(this.still);
      this.sweeps = [];
    } else {
      this.sweeps = memory.leads.map((_, lead) => {
        const canvas = make("canvas", { role: "img", "aria-label": `Trace of lead ${memory.epoch.leads[lead]}` });
        this.screen.append(
          make("div", { class: "lead" }, make("span", { class: "lead-name" }, memory.epoch.leads[lead]), canvas),
        );
        const sweep = new Sweep(canvas, lead, lead === rows - 1);
        sweep.resize(this.width, Math.round(row + (lead === rows - 1 ? 43 : 0)), this.speed, this.palette());
        return sweep;
      });
    }
    this.draw();
  }

  _words(memory) {
    const end = this.frozen ? (this.from + this.width / (this.speed * mm())) * memory.fs : Infinity;
    const begin = this.frozen ? this.from * memory.fs : 0;
    const { stream, epoch } = memory.epoch;
    const rows = beatRows(memory, begin, end, (beat) => this.rebuilt.show(stream, epoch, beat.sample));
    const text = rows.map((row) => row.textContent).join();
    if (this._shown !== text) this.table.replaceChildren(...rows); // not each time: a button keeps its focus
    this._shown = text;
    const verdict = memory.verdicts.findLast((one) => one.start_sample < end);
    const score = verdict?.score == null ? "" : ` · score ${verdict.score.toFixed(2)}`;
    const rate = verdict?.heart_rate == null ? "" : ` · ${Math.round(verdict.heart_rate)} /min`;
    say(this.facts, verdict ? `${verdict.verdict}${rate}${score} · ${verdict.reason}` : "not judged yet");
    say(this.buttons.freeze, this._still ? "Go on" : "Freeze");
    this.buttons.freeze.hidden = this.memory !== null;
    for (const name of ["earlier", "later", "lower", "higher", "calipers"]) this.buttons[name].disabled = !this.frozen;
    this.buttons.calipers.setAttribute("aria-pressed", String(this.calipers !== null));
    const scale =
      `${this.speed} mm/s` +
      (memory.epoch.unit === "unknown" ? " · not calibrated" : this.frozen ? ` · ${this.gain} mm/mV` : "");
    const [a, b] = this.calipers ?? [0, 0];
    const span = Math.abs(b - a);
    const measured = this.calipers
      ? ` · calipers: ${Math.round(span * 1000)} ms${span ? `, ${Math.round(60 / span)} /min` : ""}`
      : "";
    say(this.reading, scale + measured);
    this.still.setAttribute("aria-label", `Frozen strip of ${this.name.textContent}${measured}`);
  }

  _do(name) {
    const memory = this.memory ?? this.feed?.memory;
    if (name === "close") return this.dialog.close();
    if (!memory) return undefined;
    const shown = this.width / (this.speed * mm());
    if (name === "freeze") {
      this._still = !this._still;
      this.calipers = null;
      this.from = this.feed.playout.head / memory.fs - shown;
      return this._layout();
    }
    if (name === "earlier" || name === "later") return this._move(name === "later" ? shown / 2 : -shown / 2);
    if (name === "calipers") this.calipers = this.calipers ? null : [this.from + shown * 0.4, this.from + shown * 0.5];
    if (name === "slower" || name === "faster") this._zoom(name === "faster" ? 1 : -1, shown);
    if (name === "higher" || name === "lower") this.gain = next(GAINS, this.gain, name === "higher" ? 1 : -1);
    return this.draw();
  }

  _zoom(by, shown) {
    this.speed = next(SPEEDS, this.speed, by);
    this.from += (shown - this.width / (this.speed * mm())) / 2;
    if (!this.frozen) this._layout();
  }

  _move(seconds) {
    const memory = this.memory ?? this.feed.memory;
    const last = memory.end / memory.fs - 1;
    this.from = Math.max(memory.oldest / memory.fs - 1, Math.min(last, this.from + seconds));
    this.draw();
  }

  _key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !this.frozen || event.target !== this.still) return;
    event.preventDefault();
    if (!this.calipers) return this._move(step * 0.5);
    this.calipers[event.shiftKey ? 0 : 1] += step * 0.01;
    return this.draw();
  }

  _at(event) {
    return this.from + (event.clientX - this.still.getBoundingClientRect().left) / (this.speed * mm());
  }

  _grab(event) {
    this.still.setPointerCapture(event.pointerId);
    const at = this._at(event);
    if (this.calipers) this.calipers = [at, at];
    this._held = this.calipers ? "caliper" : at;
  }

  _drag(event) {
    if (this._held === null) return;
    const at = this._at(event);
    if (this._held === "caliper") {
      this.calipers[1] = at;
      this.draw();
    } else {
      this._move(this._held - at);
    }
  }
}

function next(values, value, by) {
  return values[Math.max(0, Math.min(values.length - 1, values.indexOf(value) + by))];
}
