// data-print: a button that prints the page; it shows itself, since without JavaScript the browser's own menu prints.
import { once } from "./once.js";

export function wirePrint(root) {
  once(root, "[data-print]", "Print", (button) => {
    button.hidden = false;
    button.addEventListener("click", () => print());
  });
}
