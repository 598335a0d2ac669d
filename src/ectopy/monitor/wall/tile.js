// One stream on the wall: its name, rate, verdict, alarm and trace.

import { SIGNS, clockTime, make, say, zone } from "./words.js";
import { mm, speedFor } from "./paper.js";
import { Sweep } from "./sweep.js";

const HEIGHT_MM = 34;
const ALONE_MM = 46;

export class Tile {
  constructor(feed, open) {
    this.feed = feed;
    const part = (name) => (this[name] = make("span", { class: name }));
    this.title = make("button", { class: "title", click: open });
    this.alarm = make("div", { class: "tile-alarm", hidden: true });
    this.canvas = make("canvas", { role: "img", click: open });
    this.away = make("div", { class: "away", role: "status" });
    this.element = make(
      "article",
      { class: "tile", "data-stream": feed.id },
      make(
        "header",
        {},
        make("h3", {}, this.title),
        part("word"),
        make("span", { class: "rate" }, part("beats"), make("small", {}, " /min")),
      ),
      this.alarm,
      make("div", { class: "screen" }, this.canvas, this.away),
      make("footer", {}, part("scale"), part("quality"), part("reason")),
    );
    this.sweep = new Sweep(this.canvas, 0);
  }

  layout(palette) {
    const width = Math.floor(this.canvas.parentElement.clientWidth);
    if (!width) return;
    const tall = this.element.parentElement?.children.length === 1 ? ALONE_MM : HEIGHT_MM;
    this.sweep.resize(width, Math.round(tall * mm()) + 43, speedFor(width - 8 * mm()), palette);
    this.draw();
  }

  /** A frame. */
  step(now) {
    const { feed, sweep } = this;
    if (!feed.memory) return;
    sweep.show(feed.memory);
    if (feed.state === "disconnected") return;
    const jumped = feed.playout.step(now, feed.memory.end, feed.ended);
    if (jumped) sweep.paint(feed.playout.head);
    else sweep.advance(feed.playout.head);
  }

  /** Marks, words and state, when they are others. */
  draw(alarms = this._alarms ?? []) {
    const { feed, sweep } = this;
    const { verdict, memory } = feed;
    if (memory) {
      sweep.show(memory);
      sweep.paint(feed.playout.head);
    }
    this.words(alarms);
    say(this.title, feed.label);
    say(this.quality, verdict ? `quality ${Math.round(verdict.quality * 100)} %` : "");
    say(this.reason, verdict?.verdict === "normal" ? "" : (verdict?.reason ?? ""));
    this.canvas.setAttribute("aria-label", this._told());
  }

  /** What changes by time alone. */
  words(alarms) {
    this._alarms = alarms; // those of now, whenever it is drawn next
    const { feed, sweep } = this;
    const state = feed.state;
    this.element.dataset.state = state;
    const since = feed.lastAt === null ? "" : ` since ${clockTime(feed.lastAt)} (${zone()})`;
    const said = {
      connecting: "connecting …",
      silent: `no data${since}`,
      disconnected: `disconnected${since}`,
      ended: "recording ended",
      live: "",
    };
    say(this.away, said[state]);
    const { verdict } = feed;
    const old = state === "silent" || state === "disconnected"; // what was known then is no rate of now
    this.word.className = `word ${verdict && !old ? verdict.verdict : ""}`;
    say(this.word, verdict ? `${old ? "was " : ""}${verdict.verdict}` : "not judged yet");
    say(this.beats, verdict?.heart_rate == null || old ? "--" : String(Math.round(verdict.heart_rate)));
    const top = alarms[0];
    this.alarm.hidden = !top;
    this.element.dataset.alarm = top && !top.acknowledged ? top.priority : "";
    if (top) {
      this.alarm.className = `tile-alarm ${top.priority}${top.acknowledged ? " seen" : ""}`;
      const more = alarms.length > 1 ? ` (+${alarms.length - 1})` : "";
      const how = top.acknowledged ? ", acknowledged" : top.presence === "latched" ? ", latched" : "";
      say(this.alarm, `${SIGNS[top.priority]} ${top.priority}: ${top.code}${how}${more} · ${top.reason}`);
    }
    const lead = feed.memory?.epoch.leads[0] ?? "";
    const gain = sweep.gain === null ? "not calibrated" : `${sweep.gain} mm/mV`;
    const pace = feed.playout && feed.playout.pace > 1.5 ? ` · ×${Math.round(feed.playout.pace)}` : "";
    say(this.scale, feed.memory ? `${lead} · ${sweep.speed} mm/s · ${gain}${pace}` : "");
  }

  _told() {
    const { verdict, label, memory } = this.feed;
    const lead = memory?.epoch.leads[0] ?? "";
    return `Trace of ${label}, lead ${lead}` + (verdict ? `; last interval ${verdict.verdict}. ${verdict.reason}` : "");
  }
}
