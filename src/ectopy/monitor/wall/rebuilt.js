// A beat over the same beat as an autoencoder rebuilds it that has seen normal beats only; what differs is filled.

import { make, say } from "./words.js";

const [WIDTH, HEIGHT, EDGE] = [320, 170, 14];
const [RATE, R_PEAK] = [128, 32];

export class Rebuilt {
  constructor(root, service, palette) {
    this.service = service;
    this.palette = palette;
    this.figure = root.querySelector(".rebuilt");
    this.canvas = make("canvas", { role: "img" });
    this.words = make("figcaption", { role: "status" });
    this.figure.append(this.canvas, this.words);
    this.hide();
  }

  hide() {
    this.figure.hidden = true;
    this.wanted = null;
  }

  /** Of a beat, by stream, epoch and sample. */
  async show(stream, epoch, sample) {
    const wanted = (this.wanted = `${stream} ${epoch} ${sample}`);
    this.figure.hidden = false;
    const path = `/v1/streams/${encodeURIComponent(stream)}/rebuilt?epoch=${epoch}&sample=${sample}`;
    try {
      const found = await this.service.get(path);
      if (this.wanted !== wanted) return;
      this.canvas.hidden = false;
      this._draw(found);
      const anomaly = Math.round(found.anomaly * 100);
      say(
        this.words,
        `Lead ${found.lead}: the beat, and dashed the same as ${found.model} rebuilds it, which has seen normal beats ` +
          `only. What differs is filled; anomaly ${anomaly} %. Half a second, QRS complexes brought to one size.`,
      );
      this.canvas.setAttribute("aria-label", `A beat and its reconstruction; anomaly ${anomaly} %`);
    } catch (error) {
      if (this.wanted !== wanted) return;
      this.canvas.hidden = true;
      say(this.words, `It can't be shown: ${error.message}`);
    }
  }

  _draw({ beat, rebuilt }) {
    const palette = this.palette();
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    Object.assign(this.canvas, { width: WIDTH * ratio, height: HEIGHT * ratio });
    const ctx = this.canvas.getContext("2d", { alpha: false });
    ctx.scale(ratio, ratio);
    ctx.fillStyle = palette.paper;
    ctx.fillRect(0, 0, WIDTH, HEIGHT);
    const all = [...beat, ...rebuilt];
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const x = (place) => EDGE + (place * (WIDTH - 2 * EDGE)) / (beat.length - 1);
    const y = (value) => HEIGHT - EDGE - ((value - low) * (HEIGHT - 2 * EDGE)) / (high - low || 1);
    ctx.strokeStyle = palette.coarse;
    for (let ms = -200; ms <= 200; ms += 100) {
      const at = x(R_PEAK + (ms * RATE) / 1000);
      stroke(ctx, [[at, 0], [at, HEIGHT]]);
    }
    ctx.fillStyle = palette.classes.V;
    ctx.globalAlpha = 0.35;
    ctx.beginPath();
    beat.forEach((value, place) => ctx.lineTo(x(place), y(value)));
    for (let place = rebuilt.length - 1; place >= 0; place--) ctx.lineTo(x(place), y(rebuilt[place]));
    ctx.fill();
    ctx.globalAlpha = 1;
    const line = (values) => values.map((value, place) => [x(place), y(value)]);
    ctx.lineWidth = 1.8;
    ctx.strokeStyle = palette.ink;
    stroke(ctx, line(beat));
    ctx.setLineDash([5, 4]);
    ctx.strokeStyle = palette.classes.S;
    stroke(ctx, line(rebuilt));
    ctx.setLineDash([]);
  }
}

function stroke(ctx, points) {
  ctx.beginPath();
  for (const [x, y] of points) ctx.lineTo(x, y);
  ctx.stroke();
}
