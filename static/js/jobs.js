// A technician's pages without a network: they are kept on this device as last seen (templates/kernel/worker.js shows them),
// what is done waits in the queue with the hour at which it was done, and the job's page says so.
import { once } from "./once.js";
import * as queue from "./queue.js";

const SHELF = "jobs";
const OWNER = "jobs-kept-for";
const GROUP = "jobs";
const FRESH_MS = 10 * 60_000;
const MOST = 40;
const PING_MS = 3000;

// --- pages kept on this device ---

async function keepPages() {
  if (!("serviceWorker" in navigator) || !("caches" in window) || "was" in document.body.dataset) return;
  await navigator.serviceWorker.register("/worker.js");
  if (localStorage.getItem(OWNER) !== queue.me) {
    await caches.delete(SHELF);
    localStorage.setItem(OWNER, queue.me);
  }
  const shelf = await caches.open(SHELF);
  const seen = new Set();
  const links = (page) => [...page.querySelectorAll("a[data-keep]")].map((link) => link.getAttribute("href"));
  const fetchPage = async (href, always) => {
    const url = new URL(href, location.href).href;
    if (seen.has(url) || seen.size >= MOST) return null;
    seen.add(url);
    const kept = await shelf.match(url, { ignoreVary: true });
    const age = kept ? Date.now() - Date.parse(kept.headers.get("date") ?? "") : Infinity;
    if (kept && !always && age < FRESH_MS) return new DOMParser().parseFromString(await kept.text(), "text/html");
    const answer = await fetch(url);
    if (!answer.ok || answer.redirected) return null;
    await shelf.put(url, answer.clone());
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };
  const jobs = [location.href, location.pathname, ...document.querySelector("[data-jobs]").dataset.keep.split(" ").filter(Boolean)];
  const files = new Set();
  const note = (page) => {
    for (const part of page?.querySelectorAll("script[src], link[rel=stylesheet]") ?? []) files.add(new URL(part.getAttribute("src") ?? part.getAttribute("href"), location.href).href);
  };
  for (const href of jobs) {
    const page = await fetchPage(href, true);
    note(page);
    for (const link of page ? links(page) : []) note(await fetchPage(link, false));
  }
  for (const entry of performance.getEntriesByType("resource")) files.add(entry.name);
  for (const file of files) {
    if (!file.startsWith(`${location.origin}/static/`)) continue;
    seen.add(file);
    if (!(await shelf.match(file))) await shelf.add(file);
  }
  for (const old of await shelf.keys()) if (!seen.has(old.url)) await shelf.delete(old);
}

async function reachable() {
  if (!navigator.onLine) return false;
  try {
    return (await fetch("/worker.js", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(PING_MS) })).ok;
  } catch {
    return false;
  }
}

// --- what is done without a network ---

once(document, "form[data-act]", "Act", (form) => {
  form.addEventListener(
    "submit",
    async (event) => {
      if (form.dataset.sure) return;
      event.preventDefault();
      event.stopPropagation();
      if (form.dataset.asking) return;
      form.dataset.asking = "1";
      const { own } = await queue.waiting(GROUP);
      if (own.length === 0 && (await reachable())) {
        form.dataset.sure = "1";
        form.requestSubmit(event.submitter);
        delete form.dataset.asking;
        return;
      }
      const data = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !/^(csrfmiddlewaretoken|form_token|happened_\w+)$/.test(name));
      const files = [];
      for (const input of form.querySelectorAll("input[type=file]")) {
        for (const file of input.files) files.push({ field: input.name, name: file.name, type: file.type, bytes: await file.arrayBuffer() });
      }
      await queue.put({
        key: crypto.randomUUID(),
        visit: GROUP,
        kind: form.dataset.act,
        job: form.dataset.job,
        says: form.dataset.says,
        url: form.getAttribute("action") || location.pathname + location.search,
        lateBecause: form.dataset.late,
        data,
        files,
      });
      delete form.dataset.asking;
      location.assign(form.dataset.back);
    },
    true,
  );
});

// --- the job's page as it is after that ---

once(document, "[data-jobs]", "Jobs", (page) => {
  const job = page.dataset.jobs;
  const box = document.querySelector("[data-jobs-wait]");
  const sample = box?.querySelector("template");
  const timeZone = document.querySelector("time[data-clock]")?.dataset.clock;
  const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone });
  let sent = false;

  async function draw() {
    const { own } = await queue.waiting(GROUP);
    let running = page.dataset.running;
    let since = null;
    let stopped = null;
    const done = new Set();
    for (const item of own.filter((one) => !one.refused)) {
      if (item.kind === "on") [running, since, stopped] = [item.job, item.at, null];
      if (item.kind === "pause") [running, since, stopped] = ["", null, running === job ? item.at : stopped];
      if (item.kind === "finish") {
        done.add(item.job);
        if (running === item.job) [running, since] = ["", null];
      }
    }
    const state = done.has(job) ? "done" : running === job ? "running" : running ? "busy" : "idle";
    if (own.length || "was" in document.body.dataset) {
      for (const part of document.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== state;
    }
    const clock = page.querySelector(".clockface time");
    if (clock && stopped) {
      // It stands from the pause on, as the foreman will read it.
      const seconds = Math.max(0, Math.floor((queue.shopTime(stopped) - Date.parse(clock.dateTime)) / 1000));
      clock.replaceWith(`${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`);
    } else if (clock && since) clock.dateTime = queue.shopTime(since).toISOString();
    for (const row of page.querySelectorAll("[data-job-row]")) row.hidden = done.has(row.dataset.jobRow);
    box.hidden = own.length === 0;
    box.querySelectorAll("[data-item]").forEach((row) => row.remove());
    for (const item of own) {
      const row = sample.content.firstElementChild.cloneNode(true);
      row.querySelector("[data-what]").textContent = `${time.format(queue.shopTime(item.at))} ${item.says}`;
      const wrong = item.refused ? Object.values(item.refused).flat().join(" ") : "";
      row.querySelector("[data-wrong]").textContent = wrong;
      const drop = row.querySelector("[data-drop]");
      drop.hidden = !item.refused;
      drop.addEventListener("click", () => queue.remove(item.key));
      box.querySelector("ul").append(row);
    }
    return own;
  }

  // Shown as last seen: the page says so, and where another page was asked for, why this one came.
  const old = document.querySelector("[data-kept]");
  if (old && document.body.dataset.was) {
    const seen = new Date(document.body.dataset.was);
    for (const words of old.querySelectorAll("[data-kept-words]")) {
      words.hidden = (words.dataset.keptWords === "other") !== (location.hash === "#unkept");
      words.textContent = words.textContent.replace("{time}", time.format(seen));
    }
    old.hidden = false;
    window.addEventListener("online", async () => {
      if ((await queue.waiting(GROUP)).own.length === 0 && (await reachable())) location.reload();
    });
  }

  queue.listen(async (event) => {
    if (event.sent?.visit === GROUP) sent = true;
    const own = await draw();
    if (event.done && sent && !own.some((item) => !item.refused)) location.reload();
  });
  draw();
  queue.flush();
  keepPages().catch(() => {});
});
