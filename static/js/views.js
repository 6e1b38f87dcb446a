// Opens what scrolls where it matters: data-shows names what is to be seen first (the line of now on a plan, the entry of
// the rail that one is on, "end" for the newest day of a chart). Where a person has scrolled since, a refresh stays there.
import { once } from "./once.js";

const scrolled = new Map();

export function wireViews(root) {
  once(root, "[data-shows]", "Views", (box) => {
    const name = `${location.pathname} ${box.getAttribute("aria-label") ?? ""}`;
    if (scrolled.has(name)) box.scrollLeft = scrolled.get(name);
    else show(box);
    box.addEventListener("scrollend", () => scrolled.set(name, box.scrollLeft));
  });
}

function show(box) {
  if (box.dataset.shows === "end") {
    box.scrollLeft = box.scrollWidth;
    return;
  }
  const target = box.querySelector(box.dataset.shows);
  if (!target) return;
  const inner = target.getBoundingClientRect();
  const outer = box.getBoundingClientRect();
  if (inner.right > outer.right || inner.left < outer.left) box.scrollLeft += inner.left - outer.left - outer.width * 0.6;
  if (inner.bottom > outer.bottom || inner.top < outer.top) box.scrollTop += inner.top - outer.top - outer.height * 0.5;
}
