// What is written down at the car waits on this device (IndexedDB) until the shop has it: sent in order, each thing once
// (its token is the form's token), by the person who wrote it down. Without IndexedDB it waits in this page's memory.
import { shrink } from "./photos.js";

const DB = "walkaround";
const STORE = "items";
const FLAG = "queue-waiting";
const LATE_MS = 60_000;
const OLDEST_MS = 6.9 * 24 * 3600_000;
const PAUSES_MS = [1000, 5000, 10_000, 30_000];
const REFUSALS = new Set([400, 404, 409, 413, 422]);

export const me = document.body.dataset.who ?? "";
export const state = { trouble: "", sending: false, lasting: true };

const memory = new Map();
const listeners = new Set();
const AHEAD = "clock-ahead";
const pageNow = Date.parse(document.body.dataset.now ?? "") || Date.now() + keptAhead();
const pageAge = performance.now();

/** How far the shop's clock is ahead of this device's (ms): an old page, shown without a network, can't say it itself. */
function keptAhead() {
  try {
    return Number(localStorage.getItem(AHEAD)) || 0;
  } catch {
    return 0;
  }
}

/** The shop's hour of an instant of this device. */
export const shopTime = (at) => new Date(at + (pageNow - Date.now() + (performance.now() - pageAge)));

try {
  if (document.body.dataset.now) localStorage.setItem(AHEAD, String(pageNow - Date.now()));
} catch {
  // a device that keeps nothing counts by its own clock
}
let opened;
let running = null;
let again = false;
let failures = 0;
let timer;

function open() {
  opened ??= new Promise((done) => {
    try {
      const request = indexedDB.open(DB, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "key" });
      request.onsuccess = () => done(request.result);
      request.onerror = request.onblocked = () => done(null);
    } catch {
      done(null);
    }
  });
  return opened;
}

async function inStore(mode, work) {
  const db = await open();
  if (!db) throw new Error("no database");
  return new Promise((done, fail) => {
    const transaction = db.transaction(STORE, mode);
    let result;
    const request = work(transaction.objectStore(STORE));
    if (request) request.onsuccess = () => (result = request.result);
    transaction.oncomplete = () => done(result);
    transaction.onerror = transaction.onabort = () => fail(transaction.error);
  });
}

async function all() {
  let rows = [];
  try {
    rows = await inStore("readonly", (store) => store.getAll());
  } catch {
    state.lasting = false;
  }
  const known = new Set(rows.map((row) => row.key));
  rows.push(...[...memory.values()].filter((row) => !known.has(row.key)));
  return rows.sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
}

async function save(item) {
  try {
    await inStore("readwrite", (store) => store.put(item));
    memory.delete(item.key);
  } catch {
    state.lasting = false;
    memory.set(item.key, item);
  }
}

async function drop(key) {
  memory.delete(key);
  try {
    await inStore("readwrite", (store) => store.delete(key));
  } catch {
    state.lasting = false;
  }
}

const flag = (n) => {
  try {
    if (n) localStorage.setItem(FLAG, String(n));
    else localStorage.removeItem(FLAG);
  } catch {
    // a device that keeps nothing: the page's memory holds it
  }
};

export const mayWait = () => {
  try {
    return localStorage.getItem(FLAG) !== null;
  } catch {
    return false;
  }
};

export const listen = (listener) => listeners.add(listener);

function tell(event = {}) {
  for (const listener of listeners) listener(event);
}

/** Everything that waits here: own things first to last, and how many are a colleague's. */
export async function waiting(visit) {
  const rows = await all();
  flag(rows.length);
  const own = rows.filter((row) => row.who === me && (!visit || row.visit === visit));
  return { own, others: rows.filter((row) => row.who !== me).length };
}

/** Keeps a thing; the same key again replaces what hasn't been sent. */
export async function put(item) {
  if (!mayWait()) navigator.storage?.persist?.();
  await save({ ...item, who: me, at: Date.now(), token: crypto.randomUUID(), refused: null });
  flag(1);
  tell();
}

export async function remove(key) {
  await drop(key);
  tell();
}

function lateness(item) {
  const age = Date.now() - item.at;
  if (age < LATE_MS || age > OLDEST_MS) return [];
  const happened = new Date(pageNow + (performance.now() - pageAge) - age);
  return [
    ["happened_at", happened.toISOString().replace("Z", "+00:00")],
    ["happened_reason", item.lateBecause ?? "offline"],
  ];
}

/** A picture is kept as the camera gave it, so that nothing is lost while it is made smaller, which is done before it travels. */
async function lighten(item) {
  const lighter = async (file) => {
    const small = await shrink(new File([file.bytes], file.name, { type: file.type }));
    return { ...file, name: small.name, type: small.type, bytes: await small.arrayBuffer(), light: true };
  };
  if (item.file) item.file = await lighter(item.file);
  if (item.files) item.files = await Promise.all(item.files.map(lighter));
  if ((await all()).some((row) => row.token === item.token)) await save(item);
}

async function send(item) {
  const files = [item.file, ...(item.files ?? [])].filter(Boolean);
  if (files.some((file) => !file.light)) await lighten(item);
  const body = new FormData();
  for (const [name, value] of [...item.data, ["form_token", item.token], ...lateness(item)]) body.append(name, value);
  for (const file of [item.file, ...(item.files ?? [])].filter(Boolean)) body.append(file.field, new Blob([file.bytes], { type: file.type }), file.name);
  const csrf = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRFToken"];
  return fetch(item.url, {
    method: "POST",
    body,
    headers: { "X-CSRFToken": csrf, "X-Queued": "1" },
    redirect: "manual",
    signal: AbortSignal.timeout(60_000),
  });
}

async function settle(item, answer) {
  const now = (await all()).find((row) => row.key === item.key);
  const same = now?.token === item.token;
  if (answer.status === 204) {
    if (same) await drop(item.key);
    tell({ sent: item, at: answer.headers.get("X-Saved-At") });
    return true;
  }
  if (REFUSALS.has(answer.status)) {
    let wrong = {};
    try {
      wrong = (await answer.json()).wrong;
    } catch {
      wrong = {};
    }
    if (same) await save({ ...item, refused: wrong });
    tell({ refused: item });
    return true;
  }
  // A redirect leads to the sign-in; 403 is a page that was opened before it.
  state.trouble = answer.type === "opaqueredirect" || answer.status === 403 ? "signin" : "server";
  return false;
}

async function run() {
  state.sending = true;
  tell();
  try {
    for (;;) {
      again = false;
      const next = (await all()).find((row) => row.who === me && !row.refused);
      if (!next) {
        state.trouble = "";
        failures = 0;
        break;
      }
      let answer;
      try {
        answer = await send(next);
      } catch {
        state.trouble = "offline";
      }
      if (!answer || !(await settle(next, answer))) {
        clearTimeout(timer);
        timer = setTimeout(flush, PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]);
        failures += 1;
        break;
      }
      state.trouble = "";
      failures = 0;
    }
  } finally {
    state.sending = false;
    const { own, others } = await waiting();
    flag(own.length + others);
    tell({ done: true });
  }
}

/** Sends what waits; one page of this device at a time. */
export function flush() {
  again = true;
  running ??= (navigator.locks ? navigator.locks.request("walkaround-queue", run) : run()).finally(() => {
    running = null;
    if (again && !state.trouble) flush();
  });
  return running;
}

addEventListener("online", flush);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && mayWait() && flush());

/** On every page: what was left waiting goes on its way, and a line says so while it does. */
export function wireQueueNote() {
  const note = document.querySelector("[data-queue-note]");
  if (!note) return;
  const show = async () => {
    const { own } = await waiting();
    note.hidden = own.length === 0;
    note.querySelector("[data-n]").textContent = note.dataset.queueNote.replace("{n}", own.length);
  };
  listen(show);
  show();
  flush();
}
