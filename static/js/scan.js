// A scanner is a keyboard that types quickly and ends with Enter. Wherever nobody is typing, what it reads goes to the one
// search box: a VIN, a plate, a key tag, a gate code open what they name.
import { isTyping } from "./once.js";

const GAP = 800;
const SHORTEST = 2;

export function wireScan() {
  const form = document.querySelector("form[data-search]");
  if (!form) return;
  let read = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    if (isTyping(event.target) || document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.timeStamp - last > GAP) read = "";
    if (event.key === "Enter" && read.trim().length >= SHORTEST) {
      event.preventDefault();
      event.stopImmediatePropagation();
      window.location.assign(`${form.action}?${new URLSearchParams({ q: read.trim(), scan: "1" })}`);
      read = "";
    } else if (event.key.length === 1) {
      read += event.key;
      last = event.timeStamp;
    }
  }, true);
}
