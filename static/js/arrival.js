// The arrival page asks only what belongs to the way the car came; without this script all of it stands there.
function show() {
  const kind = document.querySelector('[name="arrival_kind"]')?.value;
  for (const part of document.querySelectorAll("[data-came]")) part.hidden = part.dataset.came !== kind;
}

document.addEventListener("change", (event) => {
  if (event.target.name === "arrival_kind") show();
});
document.addEventListener("htmx:afterSettle", show);
window.addEventListener("load", show);
show();
