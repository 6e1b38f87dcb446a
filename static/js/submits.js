// A form is sent once: the second click of an impatient hand does nothing until the page answers.
const RELEASE_MS = 15000;

function hold(form) {
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("button:not([type=button])")) {
    button.classList.add("busy");
    button.setAttribute("aria-busy", "true");
  }
}

function release(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll(".busy")) {
    button.classList.remove("busy");
    button.removeAttribute("aria-busy");
  }
}

export function wireSubmits() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("method")?.toLowerCase() !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    hold(form);
    setTimeout(() => release(form), RELEASE_MS);
  });
  // A form that asks for something while it is filled in (a new sum) isn't sent by that: whoever signs meanwhile is heard.
  const sends = (event) => event.detail.requestConfig?.verb !== "get";
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (sends(event) && event.target.matches("form[method=post]")) hold(event.target);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = sends(event) && event.target.closest?.("form");
    if (form) release(form);
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));
}
