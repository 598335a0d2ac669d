// A stretch of signal that stands still: all leads, at any scale, with calipers.

import { mm, sheet } from "./paper.js";
import { drawBands, drawBeats, drawTrace } from "./marks.js";
import { clockTime } from "./words.js";

const TOP = 20;
const BAND = 22;
const AXIS = 18;

/** shown: {memory, from (s of the epoch), speed (mm/s), gain (mm/mV), calipers: [s, s] or null, mark: s or null} */
export function drawStill(canvas, shown, width, height, palette) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const ctx = canvas.getContext("2d", { alpha: false });
  const { memory } = shown;
  const bottom = height - BAND - AXIS;
  ctx.drawImage(sheet(width, height, 0, TOP, bottom, ratio, palette), 0, 0);
  ctx.scale(ratio, ratio);
  const perSecond = shown.speed * mm();
  const [from, to] = [shown.from * memory.fs, (shown.from + width / perSecond) * memory.fs];
  const x = (sample) => (sample / memory.fs - shown.from) * perSecond;
  const row = (bottom - TOP) / memory.leads.length;
  memory.leads.forEach((_, lead) => {
    const top = TOP + row * lead;
    const [low, high] = memory.range(lead, from, to) ?? [0, 0];
    const middle = (low + high) / 2;
    const known = memory.epoch.unit !== "unknown";
    const gain = known ? shown.gain : ((row / mm()) * 0.8) / (high - low || 1);
    const view = {
      memory,
      lead,
      from,
      to,
      x,
      palette,
      top,
      bottom: top + row,
      y: (value) => top + row / 2 - (value - middle) * gain * mm(),
    };
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, top, width, row);
    ctx.clip();
    drawTrace(ctx, view);
    ctx.restore();
    label(ctx, memory.epoch.leads[lead], 6, top + 12, palette);
  });
  const whole = { memory, from, to, x, palette };
  drawBeats(ctx, whole, 1);
  drawBands(ctx, whole, bottom + 2, BAND);
  drawTimes(ctx, shown, width, height, perSecond, palette);
  if (shown.mark !== null) line(ctx, (shown.mark - shown.from) * perSecond, TOP, bottom, palette.ink, [5, 4]);
  if (shown.calipers) drawCalipers(ctx, shown, perSecond, bottom, palette);
}

function label(ctx, text, x, y, palette) {
  ctx.font = "600 12px system-ui, sans-serif";
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillStyle = palette.paper;
  ctx.fillRect(x - 3, y - 9, ctx.measureText(text).width + 6, 18);
  ctx.fillStyle = palette.ink;
  ctx.fillText(text, x, y);
}

function drawTimes(ctx, { memory, from }, width, height, perSecond, palette) {
  ctx.fillStyle = palette.quiet;
  ctx.font = "11px system-ui, sans-serif";
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  const every = perSecond > 60 ? 1 : perSecond > 30 ? 2 : 5;
  for (let s = Math.ceil(from / every) * every; (s - from) * perSecond < width - 40; s += every) {
    const at = memory.timeOf(s * memory.fs);
    if (at === null) return;
    line(ctx, (s - from) * perSecond, height - AXIS, height - AXIS + 5, palette.quiet);
    ctx.fillText(clockTime(at), (s - from) * perSecond + 4, height - AXIS / 2 + 1);
  }
}

function drawCalipers(ctx, { calipers, from }, perSecond, bottom, palette) {
  const [a, b] = calipers.map((s) => (s - from) * perSecond);
  ctx.fillStyle = palette.classes.S;
  ctx.globalAlpha = 0.14;
  ctx.fillRect(Math.min(a, b), TOP, Math.abs(b - a), bottom - TOP);
  ctx.globalAlpha = 1;
  for (const at of [a, b]) line(ctx, at, TOP, bottom, palette.classes.S);
}

function line(ctx, x, top, bottom, colour, dash = []) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.2;
  ctx.setLineDash(dash);
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, bottom);
  ctx.stroke();
  ctx.setLineDash([]);
}
