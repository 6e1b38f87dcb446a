// What the server said after an action stands for a while and goes; what went wrong stays until it is closed.
import { once } from "./once.js";

const SHOWN_MS = 6000;

export function wireToasts(root) {
  once(root, "[data-toast]", "Toast", (toast) => {
    const go = () => toast.remove();
    toast.querySelector("[data-toast-close]")?.addEventListener("click", go);
    if (toast.dataset.toast !== "stays") setTimeout(go, SHOWN_MS);
  });
}
