// The one search box: a scanner types and sends Enter, arrows walk the hits, Enter on a single hit opens it, Esc leaves.
import { once } from "./once.js";

export function wireSearch(root) {
  once(root, "[data-search]", "Search", (form) => {
    const input = form.querySelector("input[type=search]");
    const list = form.querySelector("[data-hits]");
    const hits = () => [...(list?.querySelectorAll("a[href]") ?? [])];
    const chosen = () => hits().findIndex((hit) => hit.getAttribute("aria-selected") === "true");
    let answered = null;

    const choose = (index) => {
      hits().forEach((hit, at) => hit.setAttribute("aria-selected", String(at === index)));
      hits()[index]?.scrollIntoView({ block: "nearest" });
    };
    form.addEventListener("htmx:afterSwap", (event) => {
      answered = event.detail.requestConfig?.parameters?.q?.trim() ?? null;
    });
    input.addEventListener("keydown", (event) => {
      const found = hits();
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (!found.length) return;
        event.preventDefault();
        const step = event.key === "ArrowDown" ? 1 : -1;
        const from = chosen() < 0 && step < 0 ? 0 : chosen();
        choose((from + step + found.length) % found.length);
      } else if (event.key === "Enter" && !event.isComposing) {
        // The list counts only when it answers what stands in the box: a scanner is quicker than the answer.
        const fresh = answered === input.value.trim();
        const target = found[chosen()] ?? (fresh && found.length === 1 ? found[0] : null);
        if (target) {
          event.preventDefault();
          window.location.assign(target.href);
        }
      } else if (event.key === "Escape") {
        event.preventDefault();
        list?.replaceChildren();
        input.blur();
      }
    });
    document.addEventListener("click", (event) => {
      if (!form.contains(event.target)) list?.replaceChildren();
    });
  });
}
