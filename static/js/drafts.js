// data-draft="key" on a form: what is typed is kept on this device and comes back until the form was sent and accepted.
// data-draft-carried: a step of the form drew it anew with all that was typed; nothing is brought back, nothing is said.
// data-draft-whole: a form that the server draws by steps keeps all it would send, each unfinished one by itself; they are
// offered, not filled in, and going on with one asks the server to draw it.
import { once } from "./once.js";

const PREFIX = "draft:";
const SENT = "draft-sent";
const OWN = "draft-own:";
const KEEP_MS = 7 * 24 * 3600 * 1000;
const OFFERED = 3;

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

// --- whole forms: {id: {at, label, values}} under one key ---

function loadAll(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "{}");
    return Object.entries(kept).filter(([, draft]) => Array.isArray(draft?.values) && Date.now() - draft.at < KEEP_MS);
  } catch {
    return [];
  }
}

function keepAll(key, drafts) {
  if (drafts.length) localStorage.setItem(key, JSON.stringify(Object.fromEntries(drafts)));
  else localStorage.removeItem(key);
}

const dropOne = (key, id) => keepAll(key, loadAll(key).filter(([other]) => other !== id));

function goOn(form, values) {
  const again = Object.assign(document.createElement("form"), { method: "post", action: window.location.href, hidden: true });
  const given = new Map(values);
  const token = form.elements.csrfmiddlewaretoken.value;
  for (const [name, value] of [...values, ["look", given.get("first") || "1"], ["csrfmiddlewaretoken", token]]) {
    again.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(again);
  again.submit();
}

function wireWhole(form) {
  const key = keyOf(form);
  const own = OWN + key;
  if (!("draftCarried" in form.dataset) && !form.querySelector("[aria-invalid=true]")) sessionStorage.removeItem(own);
  const id = () => sessionStorage.getItem(own);
  let timer = null;
  const list = form.querySelector("[data-draft-offers]");
  const sample = list?.querySelector("template");
  const others = loadAll(key).filter(([other]) => other !== id());
  for (const [other, draft] of others.sort((a, b) => b[1].at - a[1].at).slice(0, OFFERED)) {
    const row = sample.content.firstElementChild.cloneNode(true);
    row.querySelector("[data-label]").textContent = draft.label;
    row.querySelector("time").textContent = new Date(draft.at).toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" });
    row.querySelector("[data-take]").addEventListener("click", () => {
      if (timer) keep();
      timer = null;
      sessionStorage.setItem(own, other);
      goOn(form, draft.values);
    });
    row.querySelector("[data-drop]").addEventListener("click", () => {
      dropOne(key, other);
      row.remove();
      list.hidden = !list.querySelector("[data-offer]");
    });
    list.append(row);
    list.hidden = false;
  }
  const keep = () => {
    const values = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !/^(csrfmiddlewaretoken|form_token)$/.test(name));
    const given = new Map(values);
    const label = (form.dataset.draftWhole.split(" ").map((name) => given.get(name)?.trim()).filter(Boolean)).join(" · ");
    if (!label) return;
    if (!id()) sessionStorage.setItem(own, crypto.randomUUID());
    keepAll(key, [...loadAll(key).filter(([other]) => other !== id()), [id(), { at: Date.now(), label, values }]]);
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(keep, 250);
  };
  form.addEventListener("input", soon);
  form.addEventListener("htmx:afterSettle", () => id() && soon());
  addEventListener("pagehide", () => timer && !form.dataset.sent && keep());
  form.addEventListener("submit", () => sessionStorage.setItem(SENT, key));
}

export function wireDrafts(root) {
  if (root === document) dropAccepted();
  once(root, "form[data-draft]", "Draft", (form) => {
    if ("draftWhole" in form.dataset) {
      wireWhole(form);
      return;
    }
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
  if (back || document.querySelector("[data-keep-drafts]")) return;
  const one = sessionStorage.getItem(OWN + sent);
  if (one) {
    sessionStorage.removeItem(OWN + sent);
    dropOne(sent, one);
  } else {
    localStorage.removeItem(sent);
  }
}
