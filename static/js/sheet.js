// A check sheet at the car: every answer and photo is kept on this device at once and sent by the queue, so that a dropped
// network loses nothing; measured values judge themselves, and the way to the first open item is one tap.
import { once } from "./once.js";
import * as queue from "./queue.js";

const TYPED_MS = 600;
const STAGES = { GREEN: "c-ready", YELLOW: "c-wait", RED: "c-late" };
const BADNESS = ["GREEN", "YELLOW", "RED"];

once(document, "[data-check-sheet]", "CheckSheet", (page) => {
  const sheet = page.dataset.checkSheet;
  const late = { lateBecause: page.dataset.late, visit: sheet };
  const forms = [...page.querySelectorAll("form[data-item]")];
  const says = document.querySelector("[data-saved]");
  const rest = page.querySelector("form[data-rest]");
  const next = page.querySelector("[data-next]");
  const sign = page.querySelector("form[data-sign]");
  const typed = new Map();
  let stale = false;

  page.querySelectorAll("[data-plain]").forEach((button) => (button.hidden = true));

  const chosen = (form) => form.querySelector("[name=verdict]:checked")?.value ?? "";
  const values = (form) => [...form.querySelectorAll("input[name^=v][inputmode]")];
  const measured = (form) => values(form).length > 0;
  const words = (form) => form.querySelector("[name=note]")?.value.trim() ?? "";
  const shots = (form) => form.querySelectorAll(".photos figure").length;
  const number = (text) => (/^-?\d+([.,，]\d*)?$/.test(text.trim()) ? Number(text.trim().replace(/[,，]/, ".")) : NaN);
  const beyond = (form, value) => (form.dataset.least !== "" && value < Number(form.dataset.least)) || (form.dataset.most !== "" && value > Number(form.dataset.most));
  const unread = (form, field) => Number.isNaN(number(field.value)) || beyond(form, number(field.value));
  const wrong = (form) => (chosen(form) === "NA" ? [] : values(form).filter((field) => field.value.trim() !== "" && unread(form, field)));
  const inWords = (form) => {
    const bad = wrong(form);
    const where = bad.map((field) => field.dataset.place).filter(Boolean).join(" · ");
    const what = bad.every((field) => !Number.isNaN(number(field.value))) ? `${form.dataset.possible}: ${page.dataset.impossible}` : page.dataset.number;
    return where ? `${where}: ${what}` : what;
  };
  const partly = (form) => measured(form) && verdict(form) === "" && wrong(form).length === 0 && values(form).some((field) => field.value.trim() !== "");

  // What can't be sent yet (no number, a wheel without its value) stays on this device and comes back with the page.
  const keptAs = (form) => `sheet-typed:${sheet}:${form.dataset.item}`;
  function keepTyped(form) {
    try {
      if (wrong(form).length || partly(form)) localStorage.setItem(keptAs(form), JSON.stringify(values(form).map((field) => field.value)));
      else localStorage.removeItem(keptAs(form));
    } catch {
      // a private window or a full device: the page says so above
    }
  }
  function bringTypedBack(form) {
    try {
      const kept = JSON.parse(localStorage.getItem(keptAs(form)) ?? "null");
      if (kept) values(form).forEach((field, n) => (field.value = kept[n] ?? field.value));
    } catch {
      // nothing readable is kept
    }
  }

  function bound(form, name) {
    const text = form.dataset[name];
    return text ? Number(text) : null;
  }

  function judge(form, value) {
    const [redBelow, yellowBelow, yellowAbove, redAbove] = ["redBelow", "yellowBelow", "yellowAbove", "redAbove"].map((n) => bound(form, n));
    if ((redBelow !== null && value < redBelow) || (redAbove !== null && value > redAbove)) return "RED";
    if ((yellowBelow !== null && value < yellowBelow) || (yellowAbove !== null && value > yellowAbove)) return "YELLOW";
    return "GREEN";
  }

  /** What the form says now: a verdict, or "" while something is missing. */
  function verdict(form) {
    if (!measured(form)) return chosen(form);
    if (chosen(form) === "NA") return "NA";
    const given = values(form).map((field) => number(field.value));
    if (given.some((value) => Number.isNaN(value) || beyond(form, value))) return "";
    return BADNESS[Math.max(...given.map((value) => BADNESS.indexOf(judge(form, value))))];
  }

  function isDone(form) {
    if (form.dataset.kind === "NOTE") return true;
    if (form.dataset.kind === "PHOTO") return shots(form) > 0;
    const now = verdict(form);
    return now !== "" && (now !== "RED" || words(form) !== "" || shots(form) > 0);
  }

  function look() {
    let done = 0;
    let all = 0;
    let left = 0;
    let first = null;
    for (const form of forms) {
      const now = verdict(form);
      form.classList.toggle("found", now === "RED" || now === "YELLOW");
      const offered = form.closest("li").querySelector("[data-offered]");
      if (offered) offered.hidden = now !== "RED" && now !== "YELLOW";
      const bad = wrong(form);
      values(form).forEach((field) => {
        field.classList.toggle("is-invalid", bad.includes(field));
        field.setAttribute("aria-invalid", bad.includes(field));
      });
      const chip = form.querySelector("[data-says]");
      if (chip) {
        chip.replaceChildren();
        if (STAGES[now]) {
          const word = document.createElement("span");
          word.className = `chip ${STAGES[now]}`;
          word.textContent = page.dataset[now.toLowerCase()];
          chip.append(word);
        }
      }
      if (form.dataset.kind !== "NOTE" || words(form) !== "") {
        all += 1; // words for the customer may stay away
        if (isDone(form)) done += 1;
        else first ??= form;
      }
      if (form.dataset.kind === "RATING" && !("safety" in form.dataset) && now === "") left += 1;
    }
    rest.hidden = left === 0;
    next.hidden = first === null;
    sign.hidden = first !== null;
    if (first) next.href = `#${first.closest("li").id}`;
    page.querySelector("[data-done]").textContent = page.dataset.doneWords.replace("{done}", done).replace("{all}", all);
    rest.querySelector("[data-left]").textContent = left;
    Object.assign(page.querySelector("[data-live=head] progress"), { max: all, value: done });
  }

  // --- answers ---

  const read = (form) =>
    [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !/^(csrfmiddlewaretoken|form_token)$/.test(name));
  const keyOf = (form) => `${sheet}/${form.dataset.item}`;

  async function keep(form) {
    clearTimeout(typed.get(form));
    typed.delete(form);
    look();
    keepTyped(form);
    if (verdict(form) === "" && form.dataset.kind !== "NOTE") return draw();
    await queue.put({ ...late, key: keyOf(form), kind: "answer", item: form.dataset.item, url: location.pathname, data: read(form) });
  }

  for (const form of forms) {
    form.addEventListener("input", (event) => {
      if (event.target.type === "file") return;
      clearTimeout(typed.get(form));
      typed.set(form, setTimeout(() => keep(form).then(queue.flush), TYPED_MS));
    });
    form.addEventListener("change", async (event) => {
      if (event.target.type === "file") return;
      const unmeasured = form.querySelector("[type=checkbox][name=verdict]");
      if (unmeasured && event.target === unmeasured && unmeasured.checked) values(form).forEach((field) => (field.value = ""));
      else if (unmeasured && event.target.inputMode === "decimal" && event.target.value !== "") unmeasured.checked = false;
      await keep(form);
      queue.flush();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      await keep(form);
      queue.flush();
    });
    form.addEventListener("photos", async (event) => {
      event.preventDefault();
      for (const file of event.detail) {
        const uid = crypto.randomUUID();
        await queue.put({
          ...late,
          key: uid,
          kind: "photo",
          item: form.dataset.item,
          url: form.dataset.photosTo,
          data: [["uid", uid], ["item", form.dataset.item]],
          file: { field: "photos", name: file.name, type: file.type, bytes: await file.arrayBuffer() },
        });
      }
      await draw();
      queue.flush();
    });
  }
  addEventListener("pagehide", () => [...typed.keys()].forEach(keep));

  rest.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    for (const form of forms) {
      if (form.dataset.kind === "RATING" && !("safety" in form.dataset) && verdict(form) === "") form.querySelector("[value=GREEN]").checked = true;
    }
    look();
    await queue.put({ ...late, key: `${sheet}/rest`, kind: "rest", url: rest.action, data: [] });
    queue.flush();
  });

  // What is signed is read from the shop first: nothing may wait here any more.
  sign.addEventListener(
    "submit",
    async (event) => {
      event.preventDefault();
      event.stopPropagation();
      await Promise.all([...typed.keys()].map(keep));
      await queue.flush();
      const { own } = await queue.waiting(sheet);
      if (own.length === 0) sign.submit();
    },
    true,
  );

  // What is found bad is offered at once: first the shop has the answer, then the line is written from it.
  page.addEventListener(
    "submit",
    async (event) => {
      const offered = event.target.closest("[data-offered]");
      if (!offered) return;
      event.preventDefault();
      event.stopPropagation();
      await Promise.all([...typed.keys()].map(keep));
      await queue.flush();
      const { own } = await queue.waiting(sheet);
      if (!own.some((item) => item.item === offered.closest("li").querySelector("form[data-item]").dataset.item)) event.target.submit();
    },
    true,
  );

  next.addEventListener("click", (event) => {
    const row = document.querySelector(next.getAttribute("href"));
    if (!row) return;
    event.preventDefault();
    row.scrollIntoView({ block: "center" });
    row.querySelector("input:not([type=hidden]):not([type=file])")?.focus({ preventScroll: true });
  });

  // --- what is seen ---

  const pictures = new Map();
  function drawPhoto(form, item) {
    const figure = document.createElement("figure");
    figure.dataset.pending = "1";
    figure.className = item.refused ? "refused" : "waits";
    const image = document.createElement("img");
    if (!pictures.has(item.key)) pictures.set(item.key, URL.createObjectURL(new Blob([item.file.bytes], { type: item.file.type })));
    image.src = pictures.get(item.key);
    image.alt = item.file.name;
    const says = item.refused ? Object.values(item.refused).flat().join(" ") : page.dataset.waits;
    figure.append(image, Object.assign(document.createElement("figcaption"), { textContent: says }));
    form.querySelector(".photos .add").before(figure);
  }

  function showWrong(form, wrong) {
    const box = form.querySelector("[data-trouble]");
    box.replaceChildren();
    if (!wrong) return;
    const list = Object.assign(document.createElement("ul"), { className: "wrong" });
    list.append(...Object.values(wrong).flat().map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    box.append(list);
  }

  let sentPhotos = []; // sent, but not yet in what the server drew

  async function draw() {
    const { own, others } = await queue.waiting(sheet);
    page.querySelectorAll("[data-pending]").forEach((drawn) => drawn.remove());
    for (const form of forms) {
      const mine = own.filter((item) => item.item === form.dataset.item);
      for (const item of [...sentPhotos.filter((sent) => sent.item === form.dataset.item), ...mine]) {
        if (item.kind === "photo") drawPhoto(form, item);
      }
      const refused = mine.find((item) => item.kind === "answer" && item.refused)?.refused;
      showWrong(form, wrong(form).length ? { number: [inWords(form)] } : partly(form) ? { wheels: [page.dataset.wheels] } : refused);
    }
    look();
    say(own, others);
  }

  async function refresh() {
    const seen = sentPhotos.length;
    let fresh;
    try {
      const answer = await fetch(location.pathname);
      if (!answer.ok || answer.redirected) return;
      fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      return;
    }
    for (const part of fresh.querySelectorAll("[data-live]")) {
      page.querySelector(`[data-live="${part.dataset.live}"]`)?.replaceChildren(...part.childNodes);
    }
    for (const figures of fresh.querySelectorAll("form[data-item] .photos")) {
      const item = figures.closest("form").dataset.item;
      const add = page.querySelector(`form[data-item="${item}"] .photos .add`);
      page.querySelectorAll(`form[data-item="${item}"] .photos figure`).forEach((figure) => figure.remove());
      add.before(...figures.querySelectorAll("figure"));
    }
    sentPhotos = sentPhotos.slice(seen);
    stale = false;
    draw();
  }

  function say(own, others) {
    const refused = own.filter((item) => item.refused);
    const open = own.length - refused.length;
    const unsent = { wrong: forms.filter((form) => wrong(form).length).length, partly: forms.filter(partly).length };
    const name = refused.length ? "refused" : unsent.wrong ? "wrong" : open ? queue.state.trouble || "saving" : unsent.partly ? "partly" : "";
    for (const part of says.querySelectorAll("[data-state]")) {
      part.hidden = !(part.dataset.state === (name || says.dataset.saved) || (part.dataset.state === "others" && others > 0));
      const text = part.querySelector("[data-words]");
      if (text) text.textContent = text.dataset.words.replace("{n}", part.dataset.state === "others" ? others : (unsent[part.dataset.state] ?? own.length));
    }
    if (refused.length) {
      const sentences = refused.flatMap((item) => Object.values(item.refused).flat());
      says.querySelector("[data-state=refused] [data-why]").textContent = sentences.join(" ") || says.dataset.unknown;
    }
    page.querySelector("[data-unlasting]").hidden = queue.state.lasting || own.length === 0;
  }

  queue.listen((event) => {
    if (event.sent?.visit === sheet) {
      says.dataset.saved = "saved";
      if (event.at) says.querySelector("[data-saved-at]").textContent = event.at;
      if (event.sent.kind === "photo") sentPhotos.push(event.sent);
      stale = true;
    }
    if (event.done && stale) refresh();
    draw();
  });

  (async () => {
    const { own } = await queue.waiting(sheet);
    if (own.some((item) => item.kind === "rest")) {
      for (const form of forms) {
        if (form.dataset.kind === "RATING" && !("safety" in form.dataset) && verdict(form) === "") form.querySelector("[value=GREEN]").checked = true;
      }
    }
    for (const item of own.filter((one) => one.kind === "answer")) {
      const form = forms.find((one) => one.dataset.item === item.item);
      if (!form) continue;
      for (const field of form.elements) {
        if (!field.name || ["hidden", "file", "submit"].includes(field.type)) continue;
        const kept = item.data.filter(([name]) => name === field.name).map(([, value]) => value);
        if (field.type === "radio" || field.type === "checkbox") field.checked = kept.includes(field.value);
        else if (kept.length) field.value = kept[0];
      }
    }
    forms.forEach(bringTypedBack);
    await draw();
    queue.flush();
  })();
});
