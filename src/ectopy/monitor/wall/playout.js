// Where the trace is drawn: a sample index that runs evenly behind what comes in jumps.

const DELAY_S = 1.25; // of a jitter buffer between 1 and 1.5 s, at the pace of life
const WINDOW_MS = 3000;
const NEAR_LIFE = 0.25;

export class Playout {
  constructor(fs) {
    this.fs = fs;
    this.head = null; // index, a fraction too
    this.pace = 1; // seconds of signal that come in a second: a recording may be played faster
    this.filling = true;
    this._came = [];
    this._at = null;
  }

  /** Samples up to `end` are there since `now` (ms). */
  arrived(end, now) {
    this._came.push([now, end]);
    while (now - this._came[0][0] > WINDOW_MS) this._came.shift();
    const [since, first] = this._came[0];
    if (now - since < 1000) return;
    const pace = ((end - first) / this.fs / (now - since)) * 1000;
    this.pace = Math.abs(pace - 1) < NEAR_LIFE ? 1 : Math.max(pace, 0.1);
  }

  /** After an outage: what comes now says nothing of the pace before. */
  restart() {
    this._came = [];
    this.pace = 1;
  }

  /** Move on to `now`, where samples up to `end` are there. True: it jumped. */
  step(now, end, ended) {
    const elapsed = this._at === null ? 0 : (now - this._at) / 1000;
    this._at = now;
    const target = DELAY_S * Math.max(1, this.pace) * this.fs;
    const waits = end - (this.head ?? 0);
    if (this.head === null || elapsed > 1 || waits > 2 * target + 2 * this.fs * Math.max(1, this.pace)) {
      this.head = Math.max(0, ended ? end : end - target);
      this.filling = !ended && end < target;
      return true;
    }
    if (this.filling && !ended && waits < target) return false;
    this.filling = false;
    const off = (waits - target) / target;
    const speed = ended ? Math.max(1, this.pace) : this.pace * (1 + Math.max(-0.1, Math.min(0.1, off * 0.5)));
    this.head = Math.min(end, this.head + elapsed * speed * this.fs);
    if (this.head >= end && !ended) this.filling = true; // it ran dry: wait until the buffer is full again
    return false;
  }
}
