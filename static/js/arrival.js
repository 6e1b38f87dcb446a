// The arrival page asks only what belongs to the way the car came; without this script all of it stands there.
function show() {
  const kind = document.querySelector('[name="arrival_kind"]')?.value;
  for (const part of document.querySelectorAll("[data-came]")) part.hidden = part.dataset.came !== kind;
}

// Nobody stands here who could wait: the customer comes back later, or the car is returned by who fetched it.
let instead = null;
function nobodyWaits(kind) {
  const mode = document.querySelector('[name="waiting_mode"]');
  if (!mode) return;
  if (kind === "IN_PERSON") {
    if (mode.value === instead) mode.value = "WAIT_AT_DEALER";
    instead = null;
  } else if (mode.value === "WAIT_AT_DEALER" || mode.value === instead) {
    mode.value = instead = kind === "PICKED_UP" ? "PICK_UP" : "LEAVE";
  }
}

document.addEventListener("change", (event) => {
  if (event.target.name !== "arrival_kind") return;
  show();
  nobodyWaits(event.target.value);
  event.target.form?.dispatchEvent(new Event("input", { bubbles: true }));
});
document.addEventListener("htmx:afterSettle", show);
window.addEventListener("load", show);
show();
