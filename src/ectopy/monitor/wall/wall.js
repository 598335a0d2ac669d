// The wall: which streams there are, a tile for each, and a frame at a time.

import { Service } from "./service.js";
import { Feed } from "./feed.js";
import { Tile } from "./tile.js";
import { Full } from "./full.js";
import { Alarms } from "./alarms.js";
import { Panel } from "./panel.js";
import { Desk } from "./desk.js";
import { Sound } from "./sound.js";
import { PauseForm } from "./pauses.js";
import { Notes } from "./notes.js";
import { Settings } from "./settings.js";
import { installable } from "./home.js";
import { stripOf } from "./strips.js";
import { isDark, paletteFor } from "./colours.js";
import { make, plural, say, zone } from "./words.js";

const PAGE = 16; // tiles at once
const LOOK_MS = 3000; // for new streams, and for those that ended ...
const LOOK_MS_EACH = 30; // ... the more there are, the more rarely ...
const MOST_LOOK_MS = 30_000; // ... but so often at least

class Wall {
  constructor(root, { service: url, name }, { play, named }) {
    this.root = root;
    this.find = (name) => root.querySelector(name);
    this.service = new Service(url);
    this.tiles = new Map(); // by stream
    this.streams = null; // as the service lists them
    this.reached = null;
    this.page = 0;
    this.frames = []; // when the last ones were drawn
    this.sound = new Sound();
    this.notes = new Notes();
    this.alarms = new Alarms(this.service, () => this.alarmed());
    this.desk = new Desk(root, this.service, this.alarms, this.sound, name, named);
    this.full = new Full(root, this.service, () => this.palette);
    this.panel = new Panel(root, this.alarms, {
      acknowledge: (alarm) => this.acknowledge(alarm),
      strip: (alarm) => this.strip(alarm),
      resume: (pause) => this.named((name) => this.alarms.resume(pause, name)),
      label: (id) => this.labelOf(id),
    });
    const pausing = new PauseForm(
      root,
      (act) => this.named((author) => this.alarms.pause({ ...act, author })),
      () => (this.streams ?? []).map(({ id, label }) => [id, label ?? id]),
    );
    const settings = new Settings(root, this.desk, this.notes, () => this.layout());
    this.stop = new AbortController();
    const on = (element, event, act) => element.addEventListener(event, act, { signal: this.stop.signal });
    on(this.find(".pause-button"), "click", () => (this.desk.name ? pausing.open() : this.desk.ask()));
    on(this.find(".settings-button"), "click", () => settings.open());
    on(this.find(".play"), "click", () => this.play(play));
    on(this.find(".pages select"), "change", ({ target }) => this.turn(Number(target.value)));
    on(document, "keydown", (event) => this.key(event));
    this.sizes = new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width === this.width) return; // an alarm's line makes it taller: nothing is to be fitted anew
      this.width = contentRect.width;
      this.layout();
    });
    this.sizes.observe(this.find(".streams"));
    this.timers = [setInterval(() => this.second(), 500)];
    this.theme();
    this.look();
    const frame = (now) => {
      this.frame(now);
      this.request = requestAnimationFrame(frame);
    };
    this.request = requestAnimationFrame(frame);
  }

  close() {
    this.stop.abort();
    this.timers.forEach(clearInterval);
    clearTimeout(this.next);
    cancelAnimationFrame(this.request);
    this.sizes.disconnect();
    for (const part of [this.alarms, this.desk, this.sound]) part.close();
    for (const { feed } of this.tiles.values()) feed.close();
  }

  /** Frames a second, over the last ones. */
  get rate() {
    const { frames } = this;
    return frames.length < 2 ? 0 : ((frames.length - 1) * 1000) / (frames.at(-1) - frames[0]);
  }

  frame(now) {
    this.frames.push(now);
    if (this.frames.length > 120) this.frames.shift();
    for (const tile of this.tiles.values()) tile.step(now);
    this.full.step();
  }

  async look() {
    try {
      this.streams = await this.service.get("/v1/streams");
      this.reached = true;
    } catch {
      this.reached = false;
    }
    if (this.stop.signal.aborted) return; // closed meanwhile: what began now nobody would end
    if (this.reached) this.arrange();
    this.second();
    clearTimeout(this.next);
    const wait = this.reached ? Math.min(MOST_LOOK_MS, this.streams.length * LOOK_MS_EACH) : 0;
    this.next = setTimeout(() => this.look(), Math.max(LOOK_MS, wait));
  }

  /** A tile for each stream of the page. */
  arrange() {
    const pages = Math.ceil(this.streams.length / PAGE);
    this.page = Math.max(0, Math.min(this.page, pages - 1));
    this.choose(pages);
    const shown = this.streams.slice(this.page * PAGE, (this.page + 1) * PAGE);
    const wanted = new Set(shown.map(({ id }) => id));
    for (const [id, tile] of this.tiles) {
      if (wanted.has(id)) continue;
      tile.feed.close();
      tile.element.remove();
      this.tiles.delete(id);
    }
    for (const stream of shown) {
      const tile = this.tiles.get(stream.id) ?? this.add(stream);
      const { memory } = tile.feed;
      if (memory && stream.epoch?.epoch === memory.epoch.epoch) tile.feed.ended = stream.epoch.ended;
    }
    const tiles = this.find(".tiles");
    if (tiles.dataset.n === String(shown.length)) return;
    tiles.dataset.n = shown.length;
    this.layout();
  }

  add(stream) {
    let tile = null;
    const feed = new Feed(this.service, stream, () => {
      tile.draw(this.alarms.of(feed.id));
      if (this.full.feed === feed) this.full.draw();
    });
    tile = new Tile(feed, () => this.full.live(feed));
    this.tiles.set(stream.id, tile);
    this.find(".tiles").append(tile.element);
    return tile;
  }

  choose(pages) {
    const label = this.find(".pages");
    label.hidden = pages < 2;
    const select = label.querySelector("select");
    if (select.options.length === pages) return;
    const range = (n) => `${n * PAGE + 1} to ${Math.min((n + 1) * PAGE, this.streams.length)}`;
    select.replaceChildren(...Array.from({ length: pages }, (_, n) => make("option", { value: n }, range(n))));
    select.value = String(this.page);
  }

  turn(page) {
    this.page = page;
    this.arrange();
  }

  /** What changes by time alone. */
  second() {
    const { reached, streams, desk } = this;
    this.theme();
    this.find(".loading").hidden = streams !== null || reached === false;
    this.find(".nothing").hidden = !(reached && streams?.length === 0);
    this.find(".nowhere").hidden = !(reached === false && streams === null);
    const link = this.find(".link");
    link.dataset.state = reached === null ? "connecting" : reached ? "live" : "disconnected";
    say(
      link,
      reached === null ? "connecting …" : reached ? "connected" : "disconnected from the service; it is tried again",
    );
    say(this.find(".address"), `${this.service.url} gives no answer.`);
    say(this.find(".count"), streams?.length ? plural(streams.length, "stream") : "");
    say(
      this.find(".foot"),
      `Research software, not a medical device. Times are yours (UTC${zone()}). A hidden tab is no alarm channel.`,
    );
    say(this.find(".keys"), desk.shortcuts ? "A acknowledges the first alarm, S shows its strip." : "");
    for (const tile of this.tiles.values()) tile.words(this.alarms.of(tile.feed.id));
  }

  theme() {
    const background = getComputedStyle(this.root).getPropertyValue("--st-background-color").trim();
    if (background === this.background) return;
    this.background = background;
    this.palette = paletteFor(background);
    this.root.dataset.theme = isDark(background) ? "dark" : "light";
    this.layout();
  }

  layout() {
    for (const tile of this.tiles.values()) tile.layout(this.palette);
    this.full.layout();
  }

  alarmed() {
    if (this.stop?.signal.aborted) return;
    this.panel?.draw();
    this.desk?.draw();
    for (const tile of this.tiles.values()) tile.words(this.alarms.of(tile.feed.id));
    if (this.alarms?.connected) this.notes.tell(this.alarms.sorted, (id) => this.labelOf(id));
    else if (this.reached) this.look();
  }

  labelOf(id) {
    return this.tiles.get(id)?.feed.label ?? this.streams?.find((one) => one.id === id)?.label ?? id;
  }

  /** Do something in the name of who is at the desk. */
  async named(act) {
    if (!this.desk.name) {
      this.desk.ask();
      return;
    }
    try {
      await act(this.desk.name);
    } catch (error) {
      this.desk.tell(`Not done: ${error.message}.`);
    }
  }

  acknowledge(alarm) {
    return this.named((name) => this.alarms.acknowledge(alarm, name));
  }

  async strip(alarm) {
    try {
      const { memory, mark, whole } = await stripOf(this.service, alarm);
      const title = `${this.labelOf(alarm.stream)}: ${alarm.code}`;
      this.full.strip(title, memory, mark);
      if (!whole) setTimeout(() => this.full.open && this.full.mark === mark && this.strip(alarm), 2000);
    } catch (error) {
      this.desk.tell(`No strip: ${error.message}.`);
    }
  }

  play(play) {
    play();
    const button = this.find(".play");
    button.disabled = true;
    say(button, "It begins in a few seconds …");
    setTimeout(() => {
      button.disabled = false;
      say(button, "Play the installed recording");
    }, 15_000);
  }

  key(event) {
    const typing = event.composedPath()[0].closest?.("input, select, textarea, dialog");
    if (!this.desk.shortcuts || typing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const [first] = this.alarms.unseen;
    if (!first) return;
    const key = event.key.toLowerCase();
    if (key === "a") this.acknowledge(first);
    if (key === "s" && first.stream !== null) this.strip(first);
  }
}

const walls = new WeakMap();

/** Called at each rerun of the page: what runs is left alone. */
export default function mount({ parentElement, data, setStateValue, setTriggerValue }) {
  installable();
  if (!walls.has(parentElement)) {
    const wall = new Wall(parentElement.querySelector(".wall"), data, {
      play: () => setTriggerValue("play", true),
      named: (name) => setStateValue("name", name),
    });
    walls.set(parentElement, wall);
    parentElement.querySelector(".wall").monitor = wall; // for who measures
  }
  return () => {
    walls.get(parentElement)?.close();
    walls.delete(parentElement);
  };
}
