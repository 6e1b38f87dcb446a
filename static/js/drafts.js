// data-draft="key" on a form: what is typed is kept on this device and comes back until the form was sent and accepted.
// data-draft-carried: a step of the form drew it anew with all that was typed; nothing is brought back, nothing is said.
import { once } from "./once.js";

const PREFIX = "draft:";
const SENT = "draft-sent";
const KEEP_MS = 7 * 24 * 3600 * 1000;

const isKept = (field) =>
  field.name && !/^(hidden|password|file|submit|button)$/.test(field.type) && !("nodraft" in field.dataset);

// What the address names (a plate, a booking) is another draft than the bare page's: the address decides what stands there.
const keyOf = (form) => PREFIX + form.dataset.draft + window.location.search;

// `first` holds what the text boxes carried when the page came: a part that is drawn anew carries what was typed as its own.
function read(form, first) {
  const values = [];
  for (const field of form.elements) {
    if (!isKept(field)) continue;
    if (field.type === "checkbox" || field.type === "radio") {
      if (field.checked !== field.defaultChecked) values.push([field.name, field.value, field.checked]);
    } else if (field.tagName === "SELECT") {
      const changed = [...field.options].some((option) => option.selected !== option.defaultSelected);
      if (changed) values.push([field.name, [...field.selectedOptions].map((option) => option.value)]);
    } else if (field.value !== (first.get(field.name) ?? field.defaultValue)) {
      values.push([field.name, field.value]);
    }
  }
  return values;
}

function restore(form, values) {
  for (const [name, value, checked] of values) {
    for (const field of form.elements) {
      if (field.name !== name || !isKept(field)) continue;
      if (field.type === "checkbox" || field.type === "radio") {
        if (field.value === value) field.checked = checked;
      } else if (field.tagName === "SELECT") {
        for (const option of field.options) option.selected = value.includes(option.value);
      } else {
        field.value = value;
      }
    }
  }
}

function load(key) {
  try {
    const draft = JSON.parse(localStorage.getItem(key) ?? "null");
    return draft && Date.now() - draft.at < KEEP_MS ? draft.values : null;
  } catch {
    return null;
  }
}

export function wireDrafts(root) {
  if (root === document) dropAccepted();
  once(root, "form[data-draft]", "Draft", (form) => {
    const key = keyOf(form);
    const says = form.querySelector("[data-draft-says]");
    const texts = [...form.elements].filter((field) => isKept(field) && "defaultValue" in field);
    const carried = "draftCarried" in form.dataset;
    const first = new Map(texts.map((field) => [field.name, carried ? "" : field.defaultValue]));
    // A form that came back with errors carries what was typed itself.
    const returned = carried || form.querySelector("[aria-invalid=true]") !== null;
    const values = returned ? null : load(key);
    if (values?.length) {
      restore(form, values);
      if (says) says.hidden = false;
    }
    let timer;
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => localStorage.setItem(key, JSON.stringify({ at: Date.now(), values: read(form, first) })), 250);
    });
    form.querySelector("[data-draft-drop]")?.addEventListener("click", () => {
      localStorage.removeItem(key);
      form.reset();
      if (says) says.hidden = true;
    });
    form.addEventListener("submit", () => sessionStorage.setItem(SENT, key));
  });
}

// A sent form that led to another page was accepted; one that shows itself again, or an error page, was not.
function dropAccepted() {
  const sent = sessionStorage.getItem(SENT);
  if (!sent) return;
  sessionStorage.removeItem(SENT);
  const back = [...document.querySelectorAll("form[data-draft]")].some((form) => keyOf(form) === sent);
  if (!back && !document.querySelector("[data-keep-drafts]")) localStorage.removeItem(sent);
}
