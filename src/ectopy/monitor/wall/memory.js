// The last minutes of one epoch: samples by their index, verdicts and beats.

const KEPT_S = 300;

export class Memory {
  /** seconds: how much is kept */
  constructor(epoch, seconds = KEPT_S) {
    this.epoch = epoch;
    const [above, below = "1"] = String(epoch.fs).split("/");
    this.fs = Number(above) / Number(below);
    this.size = Math.ceil(seconds * this.fs);
    this.leads = epoch.leads.map(() => new Float32Array(this.size).fill(NaN));
    this.begin = Infinity; // index of the first sample that ever came
    this.end = 0; // index behind the last
    this.verdicts = []; // by time
    this.beats = [];
  }

  /** Index of the oldest sample that is still there. */
  get oldest() {
    return Math.max(this.end - this.size, Math.min(this.begin, this.end));
  }

  /** One array a lead, from the sample `first` on; a stretch that nobody sent stays missing. */
  put(first, leads) {
    const n = leads[0].length;
    for (let i = Math.max(this.end, first - this.size); i < first; i++) this._clear(i);
    this.end = Math.max(this.end, first + n);
    this.begin = Math.min(this.begin, first);
    const from = Math.max(0, this.end - this.size - first);
    for (let lead = 0; lead < leads.length; lead++) {
      const ring = this.leads[lead];
      for (let i = from; i < n; i++) ring[(first + i) % this.size] = leads[lead][i];
    }
  }

  /** Samples that will not come. */
  gap(first, n) {
    const from = Math.max(first, first + n - this.size);
    for (let i = Math.max(this.end, first - this.size); i < first; i++) this._clear(i);
    for (let i = from; i < first + n; i++) if (i >= this.end - this.size) this._clear(i);
    this.end = Math.max(this.end, first + n);
    this.begin = Math.min(this.begin, first);
  }

  at(lead, index) {
    return index >= this.oldest && index < this.end ? this.leads[lead][index % this.size] : NaN;
  }

  /** Each once, whatever the order in which they come. */
  judge(verdict) {
    if (this.verdicts.some((known) => known.start_sample === verdict.start_sample)) return;
    this.verdicts.push(verdict);
    this.verdicts.sort((a, b) => a.start_sample - b.start_sample);
    while (this.verdicts.length && this.verdicts[0].end_sample < this.oldest) this.verdicts.shift();
    this.beats = this.verdicts.flatMap((known) => known.beats);
  }

  /** When a sample was, as the service derives it; null before the first verdict says so. */
  timeOf(index) {
    const verdict = this.verdicts.findLast((one) => one.start_sample <= index) ?? this.verdicts[0];
    if (!verdict) return null;
    return Date.parse(verdict.start_at) + ((index - verdict.start_sample) / this.fs) * 1000;
  }

  /** Lowest and highest value of a lead over the samples [from, to), but for a few; null where there are none. */
  range(lead, from, to) {
    const values = [];
    const step = Math.max(1, Math.floor((to - from) / 2500));
    for (let i = Math.max(Math.round(from), this.oldest); i < Math.min(to, this.end); i += step) {
      const value = this.at(lead, i);
      if (value === value) values.push(value);
    }
    if (!values.length) return null;
    values.sort((a, b) => a - b);
    const few = Math.floor(values.length * 0.002);
    return [values[few], values[values.length - 1 - few]];
  }

  _clear(index) {
    for (const ring of this.leads) ring[index % this.size] = NaN;
  }
}
