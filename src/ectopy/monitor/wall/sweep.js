// A trace as a bedside monitor draws it: from left to right, over the sweep before, behind a bar that erases it. Only
// the columns that are new are drawn, so that sixteen of them cost little; `paint` draws all of them anew.

import { MM_PER_MV, mm, pulse, sheet } from "./paper.js";
import { drawBands, drawBeats, drawTrace } from "./marks.js";

const LEFT_MM = 8; // the calibration pulse stands there
const BAR = 14; // CSS pixels
const TOP = 18; // of beats' letters
const BAND = 22; // of verdicts
const LOOK_S = 10;

export class Sweep {
  /** marks: letters and bands are drawn too, as on the first lead */
  constructor(canvas, lead = 0, marks = true) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d", { alpha: false });
    this.lead = lead;
    this.marks = marks;
    this.memory = null;
    this.x = null; // column up to which the newest sweep is drawn
    canvas.sweep = this; // for who measures what is on the canvas
  }

  resize(width, height, speed, palette) {
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    Object.assign(this, { width, height, speed, palette });
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    this.canvas.style.height = `${height}px`;
    this.left = LEFT_MM * mm();
    this.top = this.marks ? TOP : 2;
    this.bottom = height - (this.marks ? BAND + 3 : 2);
    this.perSecond = speed * mm();
    this.seconds = (width - this.left) / this.perSecond;
    this.sheet = sheet(width, height, this.left, this.top, this.bottom, this.ratio, palette);
    this.x = null;
  }

  /** Of another epoch, or none. */
  show(memory) {
    if (memory === this.memory) return;
    this.memory = memory;
    this.heights = new Map();
    this.x = null;
  }

  /** All of it, as it stands with the sample `head`. */
  paint(head) {
    if (!this.sheet) return;
    this.ctx.setTransform(1, 0, 0, 1, 0, 0);
    this.ctx.drawImage(this.sheet, 0, 0);
    this.ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    if (!this.memory || head === null) return;
    this._place(head);
    this._refit();
    this._slice(this.number, this.left, this.x);
    if (this.number > 0) this._slice(this.number - 1, this.x + BAR, this.width);
    this._pulse();
  }

  /** What is new up to the sample `head`. */
  advance(head) {
    if (this.x === null) {
      this.paint(head);
      return;
    }
    const [number, x] = [this.number, this.x];
    this._place(head);
    if (this.number === number) {
      if (this.x > x) this._slice(number, x, this.x);
    } else if (this.number === number + 1) {
      this._slice(number, x, this.width);
      this._slice(this.number, this.left, this.x);
      this._pulse();
    } else {
      this.paint(head);
      return;
    }
    if (this.x > x || this.number !== number) this._blank(this.x, Math.min(this.x + BAR, this.width));
  }

  /** Where a sample stands in the newest sweep, or in the one before; null if in neither. For who measures. */
  columnOf(sample) {
    const time = sample / this.memory.fs;
    const number = Math.floor(time / this.seconds);
    const x = this.left + (time - number * this.seconds) * this.perSecond;
    const there = number === this.number ? x <= this.x : number === this.number - 1 && x >= this.x + BAR;
    return there ? x : null;
  }

  _place(head) {
    const time = head / this.memory.fs;
    this.number = Math.floor(time / this.seconds);
    const x = this.left + (time - this.number * this.seconds) * this.perSecond;
    this.x = Math.floor(x * this.ratio) / this.ratio; // whole pixels of the screen: slices meet without a seam
  }

  /** Middle and gain of a sweep: as its beginning asks for, and again where the trace has left the paper since. */
  _heightsOf(number) {
    const known = this.heights.get(number);
    if (known) return known;
    const { memory } = this;
    const begin = number * this.seconds * memory.fs;
    const seen = memory.range(this.lead, begin - LOOK_S * memory.fs, begin + this.seconds * memory.fs) ?? [0, 0];
    const room = (this.bottom - this.top) / mm();
    const reach = seen[1] - seen[0];
    const fits = MM_PER_MV * reach < room ? MM_PER_MV : MM_PER_MV / 2;
    const gain = memory.epoch.unit === "unknown" ? (room * 0.7) / (reach || 1) : fits;
    const heights = { middle: (seen[0] + seen[1]) / 2, gain, reach };
    this.heights.set(number, heights);
    this.heights.delete(number - 3);
    return heights;
  }

  _refit() {
    const { memory, heights, number } = this;
    const known = heights.get(number);
    const seen = known && memory.range(this.lead, number * this.seconds * memory.fs, memory.end);
    if (!seen) return;
    const room = (this.bottom - this.top) / mm() / known.gain;
    const out = Math.max(seen[1] - known.middle, known.middle - seen[0]) > room / 2;
    if (out || (known.reach === 0 && seen[1] > seen[0])) heights.delete(number);
  }

  /** mm/mV of the newest sweep; null where the unit is unknown. */
  get gain() {
    if (!this.memory || this.x === null || this.memory.epoch.unit === "unknown") return null;
    return this._heightsOf(this.number).gain;
  }

  _slice(number, from, to) {
    if (to <= from) return;
    const { ctx, memory, palette, left, top, bottom } = this;
    const { middle, gain } = this._heightsOf(number);
    const zero = (top + bottom) / 2;
    const [offset, perSample, perMv] = [
      number * this.seconds * this.perSecond,
      this.perSecond / memory.fs,
      gain * mm(),
    ];
    const view = {
      memory,
      palette,
      top,
      bottom,
      lead: this.lead,
      from: (from - left + offset) / perSample,
      to: (to - left + offset) / perSample,
      x: (sample) => left + sample * perSample - offset,
      y: (value) => zero - (value - middle) * perMv,
    };
    this._blank(from, to);
    ctx.save();
    ctx.beginPath();
    ctx.rect(from, 0, to - from, this.height);
    ctx.clip();
    if (this.marks) {
      drawBeats(ctx, view, 0);
      drawBands(ctx, view, this.height - BAND, BAND);
    }
    ctx.beginPath();
    ctx.rect(from, top, to - from, bottom - top);
    ctx.clip();
    drawTrace(ctx, view);
    ctx.restore();
  }

  _pulse() {
    this._blank(0, this.left);
    const { gain } = this._heightsOf(this.number);
    if (this.memory.epoch.unit !== "unknown") pulse(this.ctx, (this.top + this.bottom) / 2, gain, this.palette);
  }

  _blank(from, to) {
    const { ratio } = this;
    const [x, width] = [Math.round(from * ratio), Math.round((to - from) * ratio)];
    if (width <= 0) return;
    this.ctx.drawImage(this.sheet, x, 0, width, this.sheet.height, x / ratio, 0, width / ratio, this.height);
  }
}
