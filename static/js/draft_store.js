// What is typed and not sent, on this device: under which key it lies, how long, and when it was sent and accepted.
const PREFIX = "draft:";
const SENT = "draft-sent";
const OWN = "draft-own:";
const KEEP_MS = 7 * 24 * 3600 * 1000;

const isFresh = (draft) => Date.now() - draft.at < KEEP_MS;

// What the address names (a plate, a booking) is another draft than the bare page's: the address decides what stands there.
export const keyOf = (form) => PREFIX + form.dataset.draft + window.location.search;

// data-draft-carried: a step of the form drew it anew with all that was typed. A form that came back with errors carries
// what was typed as well.
export const isCarried = (form) => "draftCarried" in form.dataset;
export const isReturned = (form) => isCarried(form) || form.querySelector("[aria-invalid=true]") !== null;

// --- one draft under its key ---

export function load(key) {
  try {
    const draft = JSON.parse(localStorage.getItem(key) ?? "null");
    return draft && isFresh(draft) ? draft.values : null;
  } catch {
    return null;
  }
}

export const keep = (key, values) => localStorage.setItem(key, JSON.stringify({ at: Date.now(), values }));

export const drop = (key) => localStorage.removeItem(key);

// --- several under one key, {id: {at, label, values}}; each tab knows which of them is its own ---

export function loadAll(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "{}");
    return Object.entries(kept).filter(([, draft]) => Array.isArray(draft?.values) && isFresh(draft));
  } catch {
    return [];
  }
}

const others = (key, id) => loadAll(key).filter(([other]) => other !== id);

function keepAll(key, drafts) {
  if (drafts.length) localStorage.setItem(key, JSON.stringify(Object.fromEntries(drafts)));
  else drop(key);
}

export const ownOf = (key) => sessionStorage.getItem(OWN + key);
export const takeOwn = (key, id) => sessionStorage.setItem(OWN + key, id);
export const leaveOwn = (key) => sessionStorage.removeItem(OWN + key);

export const loadOthers = (key) => others(key, ownOf(key));

export function keepOwn(key, label, values) {
  if (!ownOf(key)) takeOwn(key, crypto.randomUUID());
  const id = ownOf(key);
  keepAll(key, [...others(key, id), [id, { at: Date.now(), label, values }]]);
}

export const dropOne = (key, id) => keepAll(key, others(key, id));

// --- sent and accepted ---

export const markSent = (key) => sessionStorage.setItem(SENT, key);

// A sent form that led to another page was accepted; one that shows itself again, or an error page, was not.
export function dropAccepted() {
  const sent = sessionStorage.getItem(SENT);
  if (!sent) return;
  sessionStorage.removeItem(SENT);
  const back = [...document.querySelectorAll("form[data-draft]")].some((form) => keyOf(form) === sent);
  if (back || document.querySelector("[data-keep-drafts]")) return;
  const own = ownOf(sent);
  if (own) {
    leaveOwn(sent);
    dropOne(sent, own);
  } else {
    drop(sent);
  }
}
