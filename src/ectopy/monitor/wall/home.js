// What a phone's home screen needs to know of the page: its name, its icons, that it opens without the browser's frame.

import { make } from "./words.js";

const FILES = "/app/static"; // as Streamlit serves `entry/static`

/** Say so in the page's head, once. */
export function installable() {
  if (document.head.querySelector("link[rel=manifest]")) return;
  document.head.append(
    make("link", { rel: "manifest", href: `${FILES}/manifest.json` }),
    make("link", { rel: "apple-touch-icon", href: `${FILES}/icon-192.png` }),
    make("meta", { name: "theme-color", content: "#0b5fa5" }),
  );
}
