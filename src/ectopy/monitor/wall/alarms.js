// The alarms that are open, as the service tells of them; what people do about them goes back to it.

import { delays, sleep } from "./service.js";
import { PRIORITIES } from "./words.js";

const PAGE = 1000;
const LOOK_S = 10; // at the pauses: nothing announces that one is over

export class Alarms {
  /** changed: called when a list is another one */
  constructor(service, changed) {
    Object.assign(this, { service, changed });
    this.open = new Map(); // by id
    this.pauses = [];
    this.connected = false;
    this.raised = 0; // since the page was opened
    this._closed = false;
    this._run();
    this._timer = setInterval(() => this.connected && this.look().catch(() => this._lost()), LOOK_S * 1000);
  }

  close() {
    this._closed = true;
    this._events?.close();
    clearInterval(this._timer);
  }

  /** The most urgent first, those that nobody has acknowledged before the others, the newest first. */
  get sorted() {
    const rank = (alarm) => PRIORITIES.indexOf(alarm.priority) + (alarm.acknowledged ? PRIORITIES.length : 0);
    return [...this.open.values()].sort((a, b) => rank(a) - rank(b) || b.id - a.id);
  }

  get unseen() {
    return this.sorted.filter((alarm) => !alarm.acknowledged);
  }

  /** The most urgent priority that is to be heard. */
  get audible() {
    return this.unseen.find((alarm) => alarm.signal === "on")?.priority ?? null;
  }

  of(stream) {
    return this.sorted.filter((alarm) => alarm.stream === stream);
  }

  async acknowledge(alarm, author) {
    this._apply(await this.service.post(`/v1/alarms/${alarm.id}/acknowledge`, { author }));
  }

  async pause(act) {
    this.pauses = await this.service.post("/v1/pauses", act);
    await this.look();
  }

  async resume(pause, author) {
    this.pauses = await this.service.post("/v1/pauses/end", { what: pause.what, stream: pause.stream, author });
    await this.look();
  }

  /** Alarms and pauses as they stand. */
  async look() {
    const before = [...this.open.keys()]; // what comes meanwhile is newer than the answer
    const [items, pauses] = await Promise.all([this._all(), this.service.get("/v1/pauses")]);
    const there = new Set(items.map((alarm) => alarm.id));
    for (const id of before) if (!there.has(id)) this.open.delete(id);
    this.pauses = pauses;
    for (const alarm of items) this._keep(alarm);
    this.changed();
  }

  /** All that are open: the oldest come first, and the newest must not be missing. */
  async _all() {
    const all = [];
    for (let after = 0; after !== null; ) {
      const { items, next } = await this.service.get(`/v1/alarms?state=open&limit=${PAGE}&after=${after}`);
      all.push(...items);
      after = next;
    }
    return all;
  }

  async _run() {
    let waits = delays();
    while (!this._closed) {
      const events = (this._events = this.service.events());
      const over = new Promise((done) => (this._lost = events.onerror = done)); // or it gives no answer any more
      events.addEventListener("alarm", ({ data }) => this._apply(JSON.parse(data)));
      const heard = await Promise.race([
        new Promise((done) => (events.onopen = () => done(true))),
        over.then(() => false),
      ]);
      try {
        if (heard) {
          await this.look(); // what was told while nobody listened
          this.connected = true;
          waits = delays();
          this.changed();
          await over;
        }
      } catch {
        // as if it had not been opened: tried again below
      }
      events.close();
      this.connected = false;
      this.changed();
      await sleep(waits.next().value);
    }
  }

  _apply(alarm) {
    this._keep(alarm);
    this.changed();
  }

  _keep(alarm) {
    const known = this.open.get(alarm.id);
    if (known && known.change > alarm.change) return;
    if (!known && alarm.presence !== "off") this.raised++;
    if (alarm.presence === "off") this.open.delete(alarm.id);
    else this.open.set(alarm.id, alarm);
  }
}
