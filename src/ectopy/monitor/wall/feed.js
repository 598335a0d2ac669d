// One stream as it comes in: its socket, what was missed while there was none, and whether anything comes.

import { chunksOf, decode } from "./frames.js";
import { Memory } from "./memory.js";
import { Playout } from "./playout.js";
import { delays, sleep } from "./service.js";

const FIRST_S = 30; // of signal that is fetched at the beginning
const MOST_S = 300; // ... and after an outage
const SILENT_MS = 2500; // a trace is greyed within 3 s

export class Feed {
  /** changed: called when marks or state are others */
  constructor(service, stream, changed) {
    Object.assign(this, { service, id: stream.id, label: stream.label ?? stream.id, changed });
    this.memory = null;
    this.playout = null;
    this.connected = false;
    this.ended = false;
    this.cameAt = null; // when something last came, by this page's clock
    this._sampleAt = null; // the same as a time of day, of samples only
    this._catching = false;
    this.verdict = null;
    this._closed = false;
    this._run();
  }

  /** connecting, live, silent, ended or disconnected. */
  get state() {
    if (!this.connected) return this.memory ? "disconnected" : "connecting";
    if (this.ended) return "ended";
    return this.cameAt !== null && performance.now() - this.cameAt > SILENT_MS ? "silent" : "live";
  }

  /** When something last came, or where nothing has since the page was opened: when its last sample was. */
  get lastAt() {
    if (this._sampleAt !== null) return this._sampleAt;
    return this.memory && this.memory.end ? this.memory.timeOf(this.memory.end) : null;
  }

  close() {
    this._closed = true;
    this._socket?.close();
  }

  async _run() {
    let waits = delays();
    while (!this._closed) {
      try {
        await this._connection(() => (waits = delays()));
      } catch (error) {
        if (!error.away) console.warn(`${this.id}: ${error.message}`);
        this._socket?.close();
      }
      if (this.connected) {
        this.connected = false;
        this.changed(this);
      }
      await sleep(waits.next().value);
    }
  }

  /** From a ticket to the end of the socket. Whatever comes before the past is there waits for it. */
  async _connection(opened) {
    const socket = (this._socket = await this.service.socket(this.id));
    if (this._closed) socket.close();
    let waiting = [];
    const take = (data) => this._take(data);
    const over = new Promise((done) => (socket.onclose = done));
    socket.onopen = () => socket.send(JSON.stringify({ type: "watch", what: ["verdicts", "samples"] }));
    const told = new Promise((done) => {
      socket.onmessage = ({ data }) => {
        if (waiting) waiting.push(data);
        else take(data);
        done(true);
      };
    });
    if (!(await Promise.race([told, over.then(() => false)]))) return;
    await this._catchUp();
    this.connected = true;
    opened();
    this.cameAt = performance.now();
    waiting.forEach(take);
    waiting = null;
    this.changed(this);
    await over;
  }

  /** Once at a time, while the socket goes on. */
  async _again() {
    if (this._catching) return;
    this._catching = true;
    try {
      await this._catchUp();
      this.changed(this);
    } catch {
      this._socket.close(); // and all from the beginning
    } finally {
      this._catching = false;
    }
  }

  async _catchUp() {
    const path = `/v1/streams/${encodeURIComponent(this.id)}`;
    const { epoch, label } = await this.service.get(path);
    this.label = label ?? this.id;
    this._begin(epoch);
    this.ended = epoch.ended;
    this.playout.restart();
    const { memory } = this;
    const from = Math.max(memory.end - 1, epoch.next - Math.ceil((memory.end ? MOST_S : FIRST_S) * memory.fs), 0);
    if (epoch.next > from) {
      const stored = await this.service.bytes(
        `${path}/samples?epoch=${epoch.epoch}&first=${from}&n=${epoch.next - from}`,
      );
      if (stored.byteLength) memory.put(from, decode(epoch, stored));
    }
    const since = Math.max(0, from / memory.fs - 60);
    const { items } = await this.service.get(`${path}/verdicts?epoch=${epoch.epoch}&start_s=${since}&limit=200`);
    for (const verdict of items) this._judged(verdict);
  }

  _begin(epoch) {
    if (this.memory?.epoch.epoch === epoch.epoch) return;
    this.memory = new Memory(epoch);
    this.playout = new Playout(this.memory.fs);
    this.ended = false;
    this.verdict = null;
  }

  _take(data) {
    if (data instanceof ArrayBuffer) {
      for (const chunk of chunksOf(data)) this._chunk(chunk);
      return;
    }
    const said = JSON.parse(data);
    const mine = said.epoch === this.memory.epoch.epoch;
    if (said.type === "verdict" && mine) {
      this._judged(said);
      this.changed(this);
    } else if (said.type === "gap" && mine) {
      this.memory.gap(said.first, said.n);
    } else if (said.type === "skipped") {
      this._again();
    }
  }

  _chunk(chunk) {
    if (chunk.epoch > this.memory.epoch.epoch) {
      this._again(); // a new run of the device: its form may be another
      return;
    }
    if (chunk.epoch < this.memory.epoch.epoch) return;
    const now = performance.now();
    this._sampleAt = Date.now();
    this.memory.put(chunk.first, decode(this.memory.epoch, chunk.bytes));
    this.playout.arrived(this.memory.end, now);
    this.cameAt = now;
  }

  _judged(verdict) {
    this.memory.judge(verdict);
    this.verdict = this.memory.verdicts.at(-1);
  }
}
