// The colours of the drawings. Okabe and Ito's palette, darker or lighter where a letter on it needs the contrast;
// red, yellow and cyan are kept for alarms.

const LIGHT = {
  paper: "#fffaf5",
  fine: "#f6e3da",
  coarse: "#e9c4b4",
  ink: "#1b1b1b",
  quiet: "#5c6470",
  gap: "#8a8f96",
  on: "#ffffff",
  classes: { N: "#4b5560", S: "#0072b2", V: "#c25500", F: "#007f5c", Q: "#6e6e6e" },
  bands: { normal: ["#cfe3ee", "#17384a"], abnormal: ["#c25500", "#ffffff"], unreadable: ["#d5d8dc", "#3a3f45"] },
};
const DARK = {
  paper: "#10161c",
  fine: "#19232c",
  coarse: "#263542",
  ink: "#d9f2e3",
  quiet: "#a3afbb",
  gap: "#77818c",
  on: "#0b0f13",
  classes: { N: "#a3afbb", S: "#6fc0f0", V: "#f08c3c", F: "#3ccf9f", Q: "#a8a8a8" },
  bands: { normal: ["#1e3a4a", "#cfe6f2"], abnormal: ["#f08c3c", "#14100c"], unreadable: ["#39424b", "#d5dbe1"] },
};

/** Those that fit a background, as CSS gives it. */
export function paletteFor(background) {
  return isDark(background) ? DARK : LIGHT;
}

export function isDark(background) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = background || "#ffffff";
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(probe.fillStyle.slice(at, at + 2), 16));
  return 0.3 * red + 0.59 * green + 0.11 * blue < 128;
}
