// data-flow="plate name need" on a form: Enter goes to the next of these fields that is still empty, and sends the form once
// none is. In a text of several lines Shift+Enter begins a new one. What htmx fills in meanwhile is skipped.
const namesOf = (form) => form.dataset.flow.split(" ");
const fieldsOf = (form) => namesOf(form).map((name) => form.elements[name]).filter(Boolean);
const isEmpty = (field) => !field.value.trim();

function nextOf(form, from) {
  const fields = fieldsOf(form).filter((field) => isEmpty(field) && field !== from);
  const after = fields.filter((field) => from && from.compareDocumentPosition(field) & Node.DOCUMENT_POSITION_FOLLOWING);
  return after[0] ?? fields[0] ?? (from && isEmpty(from) && namesOf(form).includes(from.name) ? from : null);
}

// data-scanned on fields that a scanner fills: its Enter goes on to the next of them, after the last one to the button.
function goOn(event) {
  const fields = [...event.target.form.querySelectorAll("[data-scanned]")];
  const next = fields[fields.indexOf(event.target) + 1];
  event.preventDefault();
  if (next) next.select();
  else event.target.form.querySelector("button:not([type=button])")?.focus();
}

export function wireFlow() {
  document.addEventListener("keydown", (event) => {
    const form = event.target.form;
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (form && event.target.matches("input[data-scanned]")) goOn(event);
    if (!form?.dataset.flow || !event.target.matches("input, select, textarea")) return;
    event.preventDefault();
    const next = nextOf(form, event.target);
    if (next) next.focus();
    else form.requestSubmit();
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const field = document.activeElement;
    const form = field?.form ?? event.target.closest?.("form[data-flow]");
    if (!form?.dataset.flow || !form.contains(event.target)) return;
    if (field && field !== document.body && (isEmpty(field) || field.value !== field.defaultValue)) return;
    const next = nextOf(form, null);
    if (next) next.focus();
    else document.querySelector(`button[form="${form.id}"], #${form.id} button[type=submit]`)?.focus();
  });
}
