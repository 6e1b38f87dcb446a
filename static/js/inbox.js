// J and K move through the links of a list ([data-step]); Enter follows the one that has the focus.
import { isTyping } from "./once.js";

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const step = { j: 1, k: -1 }[event.key.toLowerCase()];
  const links = [...document.querySelectorAll("[data-step]")];
  if (!step || !links.length) return;
  const here = links.indexOf(document.activeElement);
  links[Math.min(Math.max(here + step, 0), links.length - 1)].focus();
  event.preventDefault();
});
