// data-draft-whole="fields that name it" on a form that the server draws by steps: each unfinished one is kept by itself
// with all it would send. They are offered, not filled in; going on with one asks the server to draw it.
import { dropOne, isReturned, keepOwn, keyOf, leaveOwn, loadOthers, markSent, ownOf, takeOwn } from "./draft_store.js";

const OFFERED = 3;
const NOT_TYPED = /^(csrfmiddlewaretoken|form_token)$/;

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

function offer(form, key, take) {
  const list = form.querySelector("[data-draft-offers]");
  const sample = list?.querySelector("template");
  const latest = loadOthers(key).sort((a, b) => b[1].at - a[1].at).slice(0, OFFERED);
  for (const [id, draft] of latest) {
    const row = sample.content.firstElementChild.cloneNode(true);
    const at = new Date(draft.at).toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" });
    row.querySelector("[data-label]").textContent = draft.label;
    row.querySelector("time").textContent = at;
    row.querySelector("[data-take]").addEventListener("click", () => take(id, draft.values));
    row.querySelector("[data-drop]").addEventListener("click", () => {
      dropOne(key, id);
      row.remove();
      list.hidden = !list.querySelector("[data-offer]");
    });
    list.append(row);
    list.hidden = false;
  }
}

export function wireOffers(form) {
  const key = keyOf(form);
  if (!isReturned(form)) leaveOwn(key);
  let timer = null;
  const keepTyped = () => {
    const values = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !NOT_TYPED.test(name));
    const given = new Map(values);
    const label = form.dataset.draftWhole.split(" ").map((name) => given.get(name)?.trim()).filter(Boolean).join(" · ");
    if (label) keepOwn(key, label, values);
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(keepTyped, 250);
  };
  offer(form, key, (id, values) => {
    if (timer) keepTyped();
    timer = null;
    takeOwn(key, id);
    goOn(form, values);
  });
  form.addEventListener("input", soon);
  form.addEventListener("htmx:afterSettle", () => ownOf(key) && soon());
  addEventListener("pagehide", () => timer && !form.dataset.sent && keepTyped());
  form.addEventListener("submit", () => markSent(key));
}
