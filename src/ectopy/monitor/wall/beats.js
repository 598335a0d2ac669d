// The last beats with their probabilities, as rows of a table.

import { CLASS_NAMES, clockTime, make } from "./words.js";

const ROWS = 8;

/** Of the samples [begin, end), the newest first; `look` is called with a beat that somebody wants to see closer. */
export function beatRows(memory, begin, end, look) {
  const beats = memory.beats.filter((beat) => beat.sample >= begin && beat.sample < end).slice(-ROWS);
  return beats.reverse().map((beat) => {
    const at = memory.timeOf(beat.sample);
    const share = (p) => (p == null ? "–" : `${Math.round(p * 100)}`);
    const cells = ["N", "S", "V", "F", "Q"].map((letter) =>
      make("td", { class: letter === beat.aami ? "chosen" : null }, share(beat[letter])),
    );
    const name = beat.aami ? `${beat.aami} ${CLASS_NAMES[beat.aami]}` : "no class";
    return make(
      "tr",
      {},
      make("td", {}, closer(beat, at === null ? "look" : clockTime(at), look)),
      make("td", {}, make("span", { class: `class ${beat.aami ?? ""}` }, name)),
      ...cells,
      make("td", {}, beat.rr_s == null ? "–" : `${Math.round(beat.rr_s * 1000)}`),
      make("td", {}, share(beat.anomaly)),
      make("td", { class: "differs" }, beat.differs ?? ""),
    );
  });
}

function closer(beat, text, look) {
  const button = make("button", { class: "closer" }, text);
  button.addEventListener("click", () => look(beat));
  return button;
}
