// Words, numbers and times as people read them; times are in the viewer's zone.

export const CLASS_NAMES = {
  N: "normal",
  S: "supraventricular",
  V: "ventricular",
  F: "fusion",
  Q: "paced or unclassifiable",
};
export const PRIORITIES = ["high", "medium", "low"]; // the most urgent first
export const SIGNS = { high: "!!!", medium: "!!", low: "!" }; // beside the colour, never the colour alone

const pad = (n) => String(Math.trunc(n)).padStart(2, "0");

export function clockTime(time) {
  const date = new Date(time);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** The viewer's offset from UTC at a time, as +02:00. */
export function zone(time = Date.now()) {
  const minutes = -new Date(time).getTimezoneOffset();
  return `${minutes < 0 ? "−" : "+"}${pad(Math.abs(minutes) / 60)}:${pad(Math.abs(minutes) % 60)}`;
}

/** Seconds as m:ss or h:mm:ss. */
export function clockSpan(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  return (hours ? `${hours}:${pad((whole % 3600) / 60)}` : `${Math.floor(whole / 60)}`) + `:${pad(whole % 60)}`;
}

export function plural(n, word) {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}

/** An element with attributes, properties that are functions as listeners, and children; text is never parsed. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** Set text only where it is another one: an unchanged node costs no layout. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
