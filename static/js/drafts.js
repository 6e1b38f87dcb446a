// data-draft="key" on a form: what is typed is kept on this device and comes back until the form was sent and accepted.
// With data-draft-whole it is kept and offered as a whole: draft_offers.js.
import { wireOffers } from "./draft_offers.js";
import { drop, dropAccepted, isCarried, isReturned, keep, keyOf, load, markSent } from "./draft_store.js";
import { once } from "./once.js";

const isKept = (field) =>
  field.name && !/^(hidden|password|file|submit|button)$/.test(field.type) && !("nodraft" in field.dataset);

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

function wireOne(form) {
  const key = keyOf(form);
  const says = form.querySelector("[data-draft-says]");
  const texts = [...form.elements].filter((field) => isKept(field) && "defaultValue" in field);
  const first = new Map(texts.map((field) => [field.name, isCarried(form) ? "" : field.defaultValue]));
  const values = isReturned(form) ? null : load(key);
  if (values?.length) {
    restore(form, values);
    if (says) says.hidden = false;
  }
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => keep(key, read(form, first)), 250);
  });
  form.querySelector("[data-draft-drop]")?.addEventListener("click", () => {
    drop(key);
    form.reset();
    if (says) says.hidden = true;
  });
  form.addEventListener("submit", () => markSent(key));
}

export function wireDrafts(root) {
  if (root === document) dropAccepted();
  once(root, "form[data-draft]", "Draft", (form) => ("draftWhole" in form.dataset ? wireOffers(form) : wireOne(form)));
}
