// What stands on the paper: trace, gaps, beats and the verdicts' bands. Whoever calls clips to what is to be drawn
// anew, so each may be drawn slice by slice.

const SMALLEST_GAP_S = 0.04;
const hatches = new Map();

/** view: {memory, lead, from, to (samples), x(sample), y(mV), top, bottom, palette} */
export function drawTrace(ctx, view) {
  const { memory, lead, palette } = view;
  const from = Math.max(Math.floor(view.from) - 1, memory.oldest);
  const to = Math.min(Math.ceil(view.to) + 1, memory.end);
  ctx.lineJoin = "round";
  ctx.lineWidth = 1.4;
  stroke(ctx, view, from, to, palette.ink);
  for (const beat of memory.beats) {
    if (!isAbnormal(beat)) continue;
    const first = Math.max(from, Math.round(beat.sample - 0.12 * memory.fs));
    const last = Math.min(to, Math.round(beat.sample + 0.22 * memory.fs));
    if (first < last) stroke(ctx, view, first, last, palette.classes[beat.aami], 2);
  }
  drawGaps(ctx, view, from, to, lead);
}

function isAbnormal({ aami }) {
  return aami === "S" || aami === "V" || aami === "F";
}

function stroke(ctx, { memory, lead, x, y }, from, to, colour, width = 1.4) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  let down = false;
  for (let i = from; i < to; i++) {
    const value = memory.at(lead, i);
    if (value !== value) {
      down = false; // missing is no 0: the pen is lifted
    } else if (down) {
      ctx.lineTo(x(i), y(value));
    } else {
      ctx.moveTo(x(i), y(value));
      down = true;
    }
  }
  ctx.stroke();
}

function drawGaps(ctx, view, from, to, lead) {
  const { memory, x, top, bottom } = view;
  const shortest = SMALLEST_GAP_S * memory.fs;
  const missing = (i) => i >= memory.oldest && i < memory.end && Number.isNaN(memory.at(lead, i));
  for (let i = from; i < to; i++) {
    if (!missing(i)) continue;
    let first = i;
    let last = i;
    while (first > from - shortest && missing(first - 1)) first--; // how long it is counts, not its slice
    while (last + 1 < to + shortest && missing(last + 1)) last++;
    if (last - first + 1 >= shortest) {
      ctx.fillStyle = hatch(ctx, view.palette.gap);
      ctx.fillRect(x(i), top, x(last + 1) - x(i), bottom - top);
    }
    i = last;
  }
}

function hatch(ctx, colour) {
  if (!hatches.has(colour)) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.globalAlpha = 0.55;
    pen.beginPath();
    for (const offset of [-8, 0, 8]) {
      pen.moveTo(offset, 8);
      pen.lineTo(offset + 8, 0);
    }
    pen.stroke();
    hatches.set(colour, ctx.createPattern(tile, "repeat"));
  }
  return hatches.get(colour);
}

/** The class of each beat as a letter above its R; an abnormal one's stands on its colour. */
export function drawBeats(ctx, { memory, from, to, x, palette }, top) {
  const margin = 0.2 * memory.fs;
  const narrow = x(memory.fs) - x(0) < 40; // letters would cover each other: a line each
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  for (const beat of memory.beats) {
    if (beat.sample < from - margin || beat.sample > to + margin) continue;
    const letter = beat.aami ?? "?";
    const colour = palette.classes[beat.aami] ?? palette.quiet;
    const at = x(beat.sample);
    if (narrow) {
      ctx.fillStyle = colour;
      ctx.fillRect(at - 1, top + 3, 2, 6);
      if (!isAbnormal(beat)) continue;
      ctx.font = "700 10px system-ui, sans-serif";
      ctx.fillText(letter, at, top + 14);
      continue;
    }
    if (letter === "N" || letter === "?") {
      ctx.font = "500 11px system-ui, sans-serif";
    } else {
      ctx.fillStyle = colour;
      ctx.beginPath();
      ctx.roundRect(at - 8, top + 1, 16, 15, 4);
      ctx.fill();
      ctx.font = "700 12px system-ui, sans-serif";
    }
    ctx.fillStyle = letter === "N" || letter === "?" ? colour : palette.on;
    ctx.fillText(letter, at, top + 9);
  }
}

/** The verdict of each interval: a band of its colour, with its word. */
export function drawBands(ctx, { memory, from, to, x, palette }, top, height) {
  ctx.font = "600 12px system-ui, sans-serif";
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (const verdict of memory.verdicts) {
    if (verdict.end_sample < from || verdict.start_sample > to) continue;
    const [paper, ink] = palette.bands[verdict.verdict];
    const [begin, end] = [x(verdict.start_sample), x(verdict.end_sample)];
    ctx.fillStyle = paper;
    ctx.fillRect(begin + 1, top, end - begin - 2, height);
    if (verdict.verdict === "unreadable") {
      ctx.fillStyle = hatch(ctx, palette.gap);
      ctx.fillRect(begin + 1, top, end - begin - 2, height);
    }
    const counted = `${verdict.verdict}: ${verdict.n_abnormal} of ${verdict.n_beats} beats`;
    const fits = verdict.n_abnormal && ctx.measureText(counted).width < end - begin - 14;
    const word = fits ? counted : verdict.verdict;
    ctx.save();
    ctx.beginPath();
    ctx.rect(begin + 1, top, end - begin - 2, height);
    ctx.clip();
    ctx.fillStyle = ink;
    const y = top + height / 2 + 1;
    ctx.fillText(word, begin + 7, y);
    const width = ctx.measureText(word).width;
    if (end - begin > 2 * width + 40) ctx.fillText(word, end - width - 7, y); // where the beginning is erased already
    ctx.restore();
  }
}
