// data-key="F3", "S" or "Ctrl+Enter" presses the element: a link is followed, a button clicked, a field focused.
import { isTyping } from "./once.js";

function nameOf(event) {
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("CTRL");
  if (event.altKey) parts.push("ALT");
  if (event.shiftKey && event.key.length > 1) parts.push("SHIFT");
  return [...parts, event.key.toUpperCase()].join("+");
}

// A letter alone waits a moment: a scanner's next sign, quicker than any hand, takes it back.
const SINGLE = 120;

export function wireKeys() {
  let pending = 0;
  document.addEventListener("keydown", (event) => {
    clearTimeout(pending);
    if (event.defaultPrevented || event.isComposing || event.repeat) return;
    const pressed = nameOf(event);
    const plain = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (plain && isTyping(event.target)) return;
    const scope = document.querySelector("dialog[open]") ?? document;
    const wanted = [...scope.querySelectorAll("[data-key]")].find(
      (element) =>
        element.dataset.key.split(" ").some((key) => key.toUpperCase() === pressed) && element.getClientRects().length,
    );
    if (!wanted || wanted.disabled) return;
    event.preventDefault();
    if (plain && !isTyping(wanted)) {
      pending = setTimeout(() => wanted.click(), SINGLE);
    } else if (isTyping(wanted)) {
      wanted.focus();
      wanted.select?.();
    } else {
      wanted.click();
    }
  });
}
