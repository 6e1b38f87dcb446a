// data-dialog="id" opens that native dialog, data-close closes the one it stands in. Without this module a link to #id opens it.
import { once } from "./once.js";

export function wireDialogs(root) {
  once(root, "[data-dialog]", "Dialog", (opener) => {
    opener.addEventListener("click", (event) => {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (!dialog) return;
      event.preventDefault();
      dialog.showModal();
      dialog.querySelector("[autofocus], .body input:not([type=hidden]), .body select, .body textarea")?.focus();
    });
  });
  once(root, "[data-close]", "Close", (closer) => {
    closer.addEventListener("click", (event) => {
      const dialog = closer.closest("dialog");
      if (!dialog?.open) return;
      event.preventDefault();
      dialog.close();
    });
  });
  once(root, "dialog[data-open]", "Open", (dialog) => dialog.showModal());
}
