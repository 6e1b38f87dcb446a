// The keypad for a plate on a touch screen: province first, then letters and digits. The box itself stays an ordinary box.
import { once } from "./once.js";

const LONGEST = 8;

export function wirePlatePads(root) {
  once(root, "[data-platepad]", "Platepad", (pad) => {
    const box = () => document.getElementById(pad.dataset.platepad);
    const [opener, sheet, says] = ["[data-platepad-open]", "[data-platepad-sheet]", "[data-platepad-says]"].map((part) => pad.querySelector(part));
    const plain = () => box().value.replace(/[\s·.-]/g, "").toUpperCase();
    const show = () => {
      const length = plain().length;
      for (const part of sheet.querySelectorAll("[data-part]")) part.hidden = (part.dataset.part === "province") !== (length === 0);
      const words = length === 8 ? says.dataset.green : length === 7 ? says.dataset.full : says.dataset.more.replace("{n}", 7 - length);
      says.textContent = words;
    };
    const write = (value) => {
      box().value = value.slice(0, LONGEST);
      box().dispatchEvent(new Event("input", { bubbles: true }));
      show();
    };
    const toggle = (open) => {
      sheet.hidden = !open;
      opener.setAttribute("aria-expanded", String(open));
      if (open) {
        show();
        sheet.querySelector("[data-part]:not([hidden]) button")?.focus();
      }
    };
    opener.hidden = false;
    opener.addEventListener("click", () => toggle(sheet.hidden));
    sheet.addEventListener("click", (event) => {
      const key = event.target.closest("button");
      if (!key) return;
      if (key.dataset.back !== undefined) write(plain().slice(0, -1));
      else if (key.dataset.done !== undefined) {
        toggle(false);
        opener.focus();
        box().dispatchEvent(new Event("change", { bubbles: true }));
      } else {
        const first = plain().length === 0;
        write(plain() + key.textContent.trim());
        if (first) sheet.querySelector("[data-part=rest] button")?.focus();
      }
    });
    sheet.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      toggle(false);
      opener.focus();
    });
  });
}
