// The walk-around on a tablet: a tap on the drawing opens the mark's form at that point; the state of saving is always said.
import { once } from "./once.js";

once(document, "[data-sketch]", "Sketch", (drawing) => {
  const dialog = document.getElementById(drawing.dataset.sketch);
  if (!dialog) return;
  drawing.addEventListener("click", (event) => {
    const side = event.target.closest("[data-side]");
    if (!side) return;
    const box = side.getBoundingClientRect();
    const part = (at, from, length) => Math.min(1000, Math.max(0, Math.round(((at - from) / length) * 1000)));
    dialog.querySelector("[name=side]").value = side.dataset.side;
    dialog.querySelector("[name=x]").value = part(event.clientX, box.left, box.width);
    dialog.querySelector("[name=y]").value = part(event.clientY, box.top, box.height);
    dialog.showModal();
    dialog.querySelector("[name=kind]:checked, [name=kind]")?.focus();
  });
});

// A lower mileage asks for its reason; otherwise the question stays out of the way.
once(document, "[data-lower]", "Lower", (box) => {
  const mileage = document.querySelector("[name=odometer_km]");
  const reason = box.querySelector("input");
  const look = () => {
    const lower = mileage.value !== "" && Number(mileage.value) < Number(box.dataset.lower);
    box.hidden = !lower && reason.value === "" && !box.querySelector(".wrong");
  };
  mileage.addEventListener("input", look);
  look();
});

once(document, "[data-saved]", "Saved", (says) => {
  const form = document.getElementById("step-form");
  if (!form) return;
  const mine = (event) => event.target === form;
  let waiting = false;
  document.addEventListener("htmx:beforeRequest", (event) => mine(event) && (says.textContent = says.dataset.saving));
  document.addEventListener("htmx:sendError", (event) => {
    if (!mine(event)) return;
    waiting = true;
    says.textContent = says.dataset.offline;
  });
  addEventListener("online", () => {
    if (!waiting) return;
    waiting = false;
    form.dispatchEvent(new Event("change", { bubbles: true }));
  });
});
