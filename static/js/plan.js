// The plan: a bar or a line of the pane is dragged to a row and a time; the drop posts the form that stands on the page.
// Mouse and pen drag at once, a finger after a moment's press, so that the plan can still be scrolled. Esc lets go.
// Without JavaScript the link on each bar opens the same choice as a form.
import { once } from "./once.js";

const PRESS_MS = 250;
const SLIP = 6; // pixels a pointer may move before it means something
const ASK_MS = 120; // a row and time held so long: who would do it there is asked and shown
const SNAP = 3; // columns: a quarter of an hour; with Shift five minutes

let drag = null;

export function wirePlan(root) {
  once(root, "[data-plan]:not([data-plan='']), [data-line]", "Plan", (element) => {
    element.addEventListener("pointerdown", (event) => take(event, element));
    element.addEventListener("dragstart", (event) => event.preventDefault());
    element.addEventListener("click", (event) => element.dataset.dropped && event.preventDefault(), true);
    element.addEventListener("touchmove", (event) => drag?.on && event.preventDefault(), { passive: false });
    element.addEventListener("contextmenu", (event) => drag && event.preventDefault());
  });
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (drag && event.target.id === "plan") event.preventDefault(); // no swap under the hand
});

function take(event, element) {
  if (drag || event.button !== 0 || event.target.closest("button, .ways a")) return;
  drag = { element, id: event.pointerId, x: event.clientX, y: event.clientY, on: false };
  if (event.pointerType === "touch") drag.timer = setTimeout(begin, PRESS_MS);
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", drop);
  document.addEventListener("pointercancel", end);
  document.addEventListener("keydown", escape, true);
}

function begin() {
  const { element, x } = drag;
  drag.on = true;
  drag.grip = element.dataset.plan ? x - element.getBoundingClientRect().left : 0;
  drag.ghost = document.createElement("span");
  drag.ghost.className = `job ghost ${[...element.classList].filter((name) => name.startsWith("c-")).join(" ")}`;
  drag.ghost.textContent = element.querySelector("b, .plate")?.textContent ?? "";
  element.classList.add("taken");
  document.body.classList.add("dragging");
}

function move(event) {
  if (!drag || event.pointerId !== drag.id) return;
  const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > SLIP;
  if (!drag.on) {
    if (!far) return;
    if (drag.timer) return end(); // a finger that moves at once scrolls
    begin();
  }
  event.preventDefault();
  const row = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-row]");
  const plan = row?.closest("[data-plan-day]");
  if (!plan) {
    drag.ghost.remove();
    drag.row = null;
    return;
  }
  const columns = Number(plan.dataset.columns);
  const box = row.getBoundingClientRect();
  const snap = event.shiftKey ? 1 : SNAP;
  const raw = ((event.clientX - drag.grip - box.left) / box.width) * columns;
  const at = Math.min(columns - 1, Math.max(0, Math.round(raw / snap) * snap));
  const length = Math.min(Number(drag.element.dataset.length) || 6, columns - at);
  drag.ghost.className = `${drag.ghost.className.replace(/ (at|for)-\d+/g, "")} at-${at} for-${Math.max(1, length)}`;
  if (drag.ghost.parentElement !== row) row.append(drag.ghost);
  const minutes = Number(plan.dataset.firstHour) * 60 + at * 5;
  const two = (number) => String(number).padStart(2, "0");
  drag.at = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  drag.ghost.dataset.at = drag.at;
  drag.row = row.dataset.row;
  drag.day = plan.dataset.planDay;
  ask();
}

// Who would do a line that nobody has been given, at the place where it is held; a bar keeps its own technician. Both say
// whether they would end after the promise, or on another day.
function ask() {
  const { element, row, day, at } = drag;
  const bar = element.dataset.plan;
  if (!bar && !element.dataset.line) return;
  const place = `${row} ${day}T${at}`;
  if (drag.place === place) return;
  clearTimeout(drag.asks);
  Object.assign(drag, { place, technician: "", why: "" });
  delete drag.ghost.dataset.who;
  drag.ghost.classList.remove("refused");
  const held = drag;
  drag.asks = setTimeout(async () => {
    const what = bar ? { plan: bar } : { line: element.dataset.line };
    const query = new URLSearchParams({ row, ...what, starts_at: `${day}T${at}` });
    const answer = await fetch(`${document.getElementById("drop").getAttribute("action")}?${query}`).catch(() => null);
    if (!answer?.ok || drag !== held || held.place !== place) return;
    const said = await answer.json();
    if (drag !== held || held.place !== place) return;
    held.technician = said.technician ?? "";
    held.why = said.why ?? "";
    const words = [said.who ?? said.why, said.late].filter(Boolean).join(" · ");
    if (words) held.ghost.dataset.who = words;
    held.ghost.classList.toggle("refused", Boolean(said.why) || Boolean(said.late));
  }, ASK_MS);
}

function drop(event) {
  if (!drag || event.pointerId !== drag.id) return;
  const { on, row, day, at, element, technician, why } = drag;
  const form = document.getElementById("drop");
  if (on) {
    element.dataset.dropped = "1"; // the click that follows opens nothing
    setTimeout(() => delete element.dataset.dropped, 0);
  }
  end();
  if (!on || !row || !form) return;
  form.elements.row.value = row;
  form.elements.plan.value = element.dataset.plan ?? "";
  form.elements.line.value = element.dataset.line ?? "";
  form.elements.starts_at.value = `${day}T${at}`;
  form.elements.technician.value = technician ?? "";
  // Let go before it was shown who would do it: the dialog asks, with place and time filled in.
  if (element.dataset.line && !element.dataset.plan && !technician && !why)
    location.assign(`${element.dataset.give}?${new URLSearchParams({ row, starts_at: `${day}T${at}` })}`);
  else form.requestSubmit();
}

function escape(event) {
  if (event.key !== "Escape" || !drag?.on) return;
  event.preventDefault();
  event.stopPropagation();
  end();
}

function end() {
  if (!drag) return;
  clearTimeout(drag.timer);
  clearTimeout(drag.asks);
  drag.ghost?.remove();
  drag.element.classList.remove("taken");
  document.body.classList.remove("dragging");
  document.removeEventListener("pointermove", move);
  document.removeEventListener("pointerup", drop);
  document.removeEventListener("pointercancel", end);
  document.removeEventListener("keydown", escape, true);
  drag = null;
}
