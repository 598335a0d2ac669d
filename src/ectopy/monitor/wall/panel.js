// The list of alarms beside the wall.

import { SIGNS, clockTime, make, say } from "./words.js";

export class Panel {
  /** act: {acknowledge(alarm), strip(alarm), resume(pause), label(stream)} */
  constructor(root, alarms, act) {
    Object.assign(this, { alarms, act });
    this.list = root.querySelector(".alarm-list");
    this.none = root.querySelector(".alarm-none");
    this.pauses = root.querySelector(".pause-list");
    this.head = root.querySelector(".alarm-head");
    this.frame = root.querySelector(".alarms");
    this.announced = root.querySelector(".announced");
    this._shown = "";
    this._newest = 0;
  }

  /** Drawn anew only where something differs: focus stays where it is. */
  draw() {
    const { alarms } = this;
    const sorted = alarms.sorted;
    const shown = JSON.stringify([sorted, alarms.pauses, alarms.connected]);
    if (shown === this._shown) return;
    this._shown = shown;
    const unseen = alarms.unseen.length;
    const known = sorted.length - unseen;
    const counted = `${unseen} open${known ? `, ${known} acknowledged` : ""}`;
    say(this.head, `Alarms: ${alarms.connected ? counted : "not known"}`);
    const fresh = alarms.unseen.filter((alarm) => alarm.id > this._newest);
    if (fresh.length) {
      this._newest = Math.max(...fresh.map((alarm) => alarm.id));
      const [first] = fresh;
      say(this.announced, `${first.priority} alarm: ${this._whose(first)}, ${first.code}, ${first.reason}`);
    }
    this.none.hidden = alarms.connected && sorted.length > 0;
    say(this.none, alarms.connected ? "No alarm is open." : "Disconnected: what has happened since is not known.");
    this.frame.classList.toggle("old", !alarms.connected);
    const focused = this.list.getRootNode().activeElement?.closest?.("[data-alarm]")?.dataset.alarm;
    this.list.replaceChildren(...sorted.map((alarm) => this._item(alarm)));
    this.pauses.replaceChildren(...alarms.pauses.map((pause) => this._pause(pause)));
    if (focused) {
      const same = this.list.querySelector(`[data-alarm="${focused}"] button`) ?? this.list.querySelector("button");
      same?.focus();
    }
  }

  _item(alarm) {
    const times = `since ${clockTime(alarm.onset_at)}` + (alarm.ended_at ? ` until ${clockTime(alarm.ended_at)}` : "");
    const states = [
      alarm.presence === "latched" ? "latched: over, and not acknowledged" : "on",
      alarm.acknowledged ? `acknowledged by ${alarm.acknowledged_by} at ${clockTime(alarm.acknowledged_at)}` : null,
      alarm.signal === "on" ? null : alarm.signal,
      alarm.late ? "known late" : null,
    ];
    const acknowledge = alarm.acknowledged
      ? null
      : make("button", { class: "primary", click: () => this.act.acknowledge(alarm) }, "Acknowledge");
    const strip = alarm.stream === null ? null : make("button", { click: () => this.act.strip(alarm) }, "Show strip");
    return make(
      "li",
      { class: `alarm ${alarm.priority}${alarm.acknowledged ? " seen" : ""}`, "data-alarm": alarm.id },
      make(
        "div",
        { class: "alarm-title" },
        make("span", { class: "priority" }, `${SIGNS[alarm.priority]} ${alarm.priority}`),
        make("strong", {}, this._whose(alarm)),
      ),
      make("div", { class: "alarm-reason" }, make("b", {}, alarm.code), `: ${alarm.reason}`),
      make("div", { class: "quiet" }, `${times} · ${states.filter(Boolean).join(" · ")}`),
      make("div", { class: "acts" }, acknowledge, strip),
    );
  }

  _whose(alarm) {
    return alarm.stream === null ? "The service" : this.act.label(alarm.stream);
  }

  _pause(pause) {
    const whose = pause.stream === null ? "all streams" : this.act.label(pause.stream);
    const until = clockTime(pause.until_at);
    const text = `${pause.what} paused, ${whose}, until ${until}: ${pause.reason} (${pause.author})`;
    return make(
      "li",
      { class: "pause" },
      make("span", {}, text),
      make("button", { click: () => this.act.resume(pause) }, "End"),
    );
  }
}
