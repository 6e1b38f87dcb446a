// A menu is a <details data-menu>: a click outside and Esc close it.
export function wireMenus() {
  const open = () => document.querySelectorAll("details[data-menu][open]");
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  // It hangs from its button's end; near the start of a narrow screen that would be outside, so there it hangs from the start.
  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (!menu.matches?.("details[data-menu]") || !menu.open) return;
      menu.classList.remove("starts");
      const sheet = menu.querySelector(":scope > .sheet");
      menu.classList.toggle("starts", Boolean(sheet) && sheet.getBoundingClientRect().left < 0);
    },
    true,
  );
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
  // A page that renews itself waits while a menu on it is open.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const renews = event.target.getAttribute?.("hx-trigger")?.includes("every");
    if (renews && event.target.querySelector("details[data-menu][open]")) event.preventDefault();
  });
}
