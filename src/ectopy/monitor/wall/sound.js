// Alarm sounds by Web Audio: patterns informed by IEC 60601-1-8. A browser lets nothing sound before a click.

const PATTERNS = {
  // pulses as [start s, Hz]; burst again after `again` s
  high: {
    pulses: [
      [0, 523],
      [0.2, 659],
      [0.4, 784],
      [0.75, 659],
      [0.95, 784],
    ],
    length: 0.13,
    again: 5,
  },
  medium: {
    pulses: [
      [0, 523],
      [0.3, 440],
      [0.6, 392],
    ],
    length: 0.18,
    again: 12,
  },
  low: {
    pulses: [
      [0, 392],
      [0.35, 330],
    ],
    length: 0.2,
    again: 25,
  },
};

export class Sound {
  constructor() {
    this._context = null;
    this._next = 0;
    this._sounding = null;
    this.bursts = 0; // for who tests it
  }

  get armed() {
    return this._context?.state === "running";
  }

  /** Called within a click or a key. */
  async arm() {
    this._context ??= new AudioContext();
    await this._context.resume();
  }

  close() {
    this._context?.close();
  }

  /** Called often: the priority that is to be heard, or null. */
  keep(priority) {
    if (priority !== this._sounding) this._next = 0;
    this._sounding = priority;
    const now = performance.now() / 1000;
    if (priority === null || !this.armed || now < this._next) return;
    this._next = now + PATTERNS[priority].again;
    this._burst(PATTERNS[priority]);
  }

  _burst({ pulses, length }) {
    this.bursts++;
    const context = this._context;
    for (const [start, pitch] of pulses) {
      const at = context.currentTime + start + 0.02;
      const volume = context.createGain();
      volume.connect(context.destination);
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.25, at + 0.02);
      volume.gain.setValueAtTime(0.25, at + length - 0.03);
      volume.gain.linearRampToValueAtTime(0, at + length);
      for (const [overtone, share] of [
        [1, 1],
        [2, 0.5],
        [3, 0.25],
        [4, 0.12],
      ]) {
        // heard through a loudspeaker's gaps
        const tone = context.createOscillator();
        const part = context.createGain();
        part.gain.value = share;
        tone.frequency.value = pitch * overtone;
        tone.connect(part).connect(volume);
        tone.start(at);
        tone.stop(at + length);
      }
    }
  }
}
