// ECG paper: millimetres, speeds and the grid.

const CSS_MM = 96 / 25.4;
const KEY = "ectopy.mm"; // how many of CSS's millimetres one of this screen's is, by the ruler
export const MM_PER_MV = 10;
export const SPEEDS = [6.25, 12.5, 25, 50];
const SHORTEST_S = 6; // of signal that a wall's tile shows

export function rulerFactor() {
  const kept = Number(localStorage.getItem(KEY));
  return kept > 0.4 && kept < 2.5 ? kept : 1;
}

export function setRuler(factor) {
  localStorage.setItem(KEY, String(factor));
}

/** CSS pixels a millimetre. */
export function mm() {
  return CSS_MM * rulerFactor();
}

/** 25 mm/s where that shows 6 s at least, else 12.5. */
export function speedFor(width) {
  return width / (25 * mm()) >= SHORTEST_S ? 25 : 12.5;
}

const sheets = new Map();

/** A sheet of paper, drawn once a size and theme. */
export function sheet(width, height, left, top, bottom, ratio, palette) {
  const key = [width, height, left, top, bottom, ratio, palette.paper, mm()].join();
  if (!sheets.has(key)) {
    if (sheets.size > 24) sheets.clear();
    sheets.set(key, drawn(width, height, left, top, bottom, ratio, palette));
  }
  return sheets.get(key);
}

function drawn(width, height, left, top, bottom, ratio, palette) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  ctx.fillStyle = palette.paper;
  ctx.fillRect(0, 0, width, height);
  const middle = (top + bottom) / 2;
  const step = mm();
  for (const [every, colour] of [
    [1, palette.fine],
    [5, palette.coarse],
  ]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = every === 1 ? 0.5 : 0.8;
    ctx.beginPath();
    for (let n = -Math.floor(left / step / every) * every; left + n * step <= width; n += every) {
      ctx.moveTo(left + n * step, top);
      ctx.lineTo(left + n * step, bottom);
    }
    const rows = Math.floor((bottom - top) / 2 / step / every) * every;
    for (let n = -rows; n <= rows; n += every) {
      ctx.moveTo(0, middle + n * step);
      ctx.lineTo(width, middle + n * step);
    }
    ctx.stroke();
  }
  return canvas;
}

/** The calibration pulse: 1 mV high, 5 mm wide, at the left edge. */
export function pulse(ctx, middle, gain, palette) {
  const step = mm();
  const [bottom, top] = [middle + (gain * step) / 2, middle - (gain * step) / 2];
  ctx.strokeStyle = palette.ink;
  ctx.lineWidth = 1.2;
  ctx.beginPath();
  ctx.moveTo(0.5 * step, bottom);
  ctx.lineTo(1.5 * step, bottom);
  ctx.lineTo(1.5 * step, top);
  ctx.lineTo(6.5 * step, top);
  ctx.lineTo(6.5 * step, bottom);
  ctx.lineTo(7.5 * step, bottom);
  ctx.stroke();
}
