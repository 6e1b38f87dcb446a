// data-copy="text": a button that copies; it shows itself only where copying works. Without it the address stands there to read.
import { once } from "./once.js";

once(document, "[data-copy]", "Copy", (button) => {
  if (!navigator.clipboard) return;
  button.hidden = false;
  const word = button.querySelector("span");
  const before = word.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    word.textContent = button.dataset.copied;
    setTimeout(() => (word.textContent = before), 2000);
  });
});
