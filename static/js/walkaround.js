// The walk-around on a tablet or phone: a tap on the drawing opens the mark's form at that point; every mark, photo and
// word is kept on this device at once and sent by the queue, so that a dropped network loses nothing; steps change here.
import { once } from "./once.js";
import * as queue from "./queue.js";

const TYPED_MS = 200;
const SEND_MS = 1200;
const SVG = "http://www.w3.org/2000/svg";

once(document, "[data-sketch]", "Sketch", (drawing) => {
  const dialog = document.getElementById(drawing.dataset.sketch);
  if (!dialog) return;
  drawing.addEventListener("click", (event) => {
    const side = event.target.closest("[data-side]");
    if (!side) return;
    const box = side.getBoundingClientRect();
    const part = (at, from, length) => Math.min(1000, Math.max(0, Math.round(((at - from) / length) * 1000)));
    dialog.querySelector("[name=side]").value = side.dataset.side;
    dialog.querySelector("[name=x]").value = part(event.clientX, box.left, box.width);
    dialog.querySelector("[name=y]").value = part(event.clientY, box.top, box.height);
    dialog.showModal();
    dialog.querySelector("[name=kind]:checked, [name=kind]")?.focus();
  });
});

// A lower mileage, and one far above the last, asks for its reason; otherwise the question stays out of the way.
once(document, "[data-lower]", "Lower", (box) => {
  const mileage = document.querySelector("[name=odometer_km]");
  const reason = box.querySelector("input");
  const look = () => {
    const lower = mileage.value !== "" && Number(mileage.value) < Number(box.dataset.lower);
    const far = Boolean(box.dataset.most) && Number(mileage.value) > Number(box.dataset.most);
    box.hidden = !lower && !far && reason.value === "" && !box.querySelector(".wrong");
  };
  mileage.addEventListener("input", look);
  look();
});

once(document, "[data-walk]", "Walk", (walk) => {
  const visit = walk.dataset.walk;
  const late = { lateBecause: walk.dataset.late, visit };
  const forms = new Map([...walk.querySelectorAll("form[data-step]")].map((form) => [form.dataset.step, form]));
  const says = document.querySelector("[data-saved]");
  const sketch = walk.querySelector("[data-sketch]");
  const markList = walk.querySelector("ul.marks");
  let unseen = []; // sent, but not yet in what the server drew
  let stale = false;
  const markChoice = document.getElementById("photo_mark");
  let chosenMark = markChoice.value; // what the next photo is of; the list is drawn anew and may lack it for a moment
  markChoice.addEventListener("change", () => (chosenMark = markChoice.value));

  // --- words and ticks ---

  const read = (form) =>
    [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !/^(csrfmiddlewaretoken|form_token)$/.test(name));
  const keyOf = (step) => `${visit}/${step}`;
  const keep = (form) =>
    queue.put({ ...late, key: keyOf(form.dataset.step), kind: "fields", step: form.dataset.step, url: form.action, data: read(form) });

  function restore(form, data) {
    for (const field of form.elements) {
      if (!field.name || field.type === "hidden" || field.type === "submit") continue;
      const values = data.filter(([name]) => name === field.name).map(([, value]) => value);
      if (field.type === "checkbox" || field.type === "radio") field.checked = values.includes(field.value);
      else if (values.length) field.value = values[0];
      field.dispatchEvent(new Event("input"));
    }
  }

  function showWrong(form, wrong) {
    form.querySelectorAll("[data-queued-wrong]").forEach((note) => note.remove());
    for (const [name, sentences] of Object.entries(wrong ?? {})) {
      const field = form.querySelector(`[name="${CSS.escape(name)}"]`);
      const note = document.createElement("ul");
      note.className = "wrong";
      note.dataset.queuedWrong = "1";
      note.append(...sentences.map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence })));
      (field?.closest(".field") ?? form.querySelector("[data-trouble]")).append(note);
      field?.closest("[hidden]")?.removeAttribute("hidden");
    }
  }

  for (const form of forms.values()) {
    let typed;
    let send;
    const now = async () => {
      clearTimeout(typed);
      typed = undefined;
      await keep(form);
    };
    const isMine = (event) => event.target.form === form; // the photo's fields stand in here, but belong to another form
    form.addEventListener("input", (event) => {
      if (!isMine(event)) return;
      clearTimeout(typed);
      clearTimeout(send);
      typed = setTimeout(now, TYPED_MS);
      send = setTimeout(queue.flush, SEND_MS);
    });
    form.addEventListener("change", async (event) => {
      if (!isMine(event)) return;
      await now();
      queue.flush();
    });
    const leaving = () => typed !== undefined && now();
    addEventListener("pagehide", leaving);
    document.addEventListener("visibilitychange", leaving);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      if (typed !== undefined) await now();
      await Promise.race([queue.flush(), new Promise((done) => setTimeout(done, 3000))]);
      const { own } = await queue.waiting(visit);
      const refused = own.find((item) => item.key === keyOf(form.dataset.step) && item.refused);
      if (refused) form.querySelector("[data-queued-wrong]")?.scrollIntoView({ block: "center" });
      else go(form.dataset.next);
    });
  }

  // --- steps ---

  async function go(step, push = true) {
    if (!forms.has(step)) {
      await queue.flush();
      const { own } = await queue.waiting(visit);
      const there = own.length === 0 && (await reachable());
      walk.querySelector("[data-sign-waits]").hidden = there;
      if (there) location.assign(`?step=${step}`);
      else walk.querySelector("[data-sign-waits]").scrollIntoView({ block: "center" });
      return;
    }
    for (const [name, form] of forms) form.hidden = name !== step;
    for (const link of document.querySelectorAll("[data-go]")) {
      if (!link.closest(".walk-steps")) continue;
      if (link.dataset.go === step) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
    walk.querySelector("[data-sign-waits]").hidden = true;
    if (push) history.pushState({ step }, "", `?step=${step}`);
    scrollTo(0, 0);
  }

  const reachable = () =>
    fetch(import.meta.url, { method: "HEAD", cache: "no-store" }).then(
      (answer) => answer.ok,
      () => false,
    );

  document.querySelectorAll("[data-go]").forEach((link) =>
    link.addEventListener("click", (event) => {
      event.preventDefault();
      go(link.dataset.go);
    }),
  );
  addEventListener("popstate", () => go(new URLSearchParams(location.search).get("step") ?? "look", false));

  // --- marks ---

  const dialog = document.getElementById("mark-new");
  dialog?.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    const form = event.target;
    const uid = crypto.randomUUID();
    const values = Object.fromEntries(read(form));
    const word = (selector) => form.querySelector(selector)?.textContent.trim() ?? "";
    const shown = {
      ...values,
      uid,
      sideWord: word(`[name=side] option[value="${values.side}"]`),
      kindWord: form.querySelector("[name=kind]:checked")?.closest("label")?.textContent.trim() ?? "",
    };
    await queue.put({ ...late, key: uid, kind: "mark", shown, url: form.action, data: [...Object.entries({ ...values, uid })] });
    chosenMark = uid;
    form.reset();
    dialog.close();
    await draw();
    queue.flush();
  });

  async function takeBack(uid, address) {
    if (chosenMark === uid) chosenMark = "";
    const { own } = await queue.waiting(visit);
    const waits = own.find((item) => item.key === uid);
    if (waits && (waits.refused || !queue.state.sending)) await queue.remove(uid);
    else await queue.put({ ...late, key: `un-${uid}`, kind: "unmark", mark: uid, url: address, data: [] });
    queue.flush();
  }

  walk.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-remove]");
    if (!button) return;
    event.preventDefault();
    takeBack(button.dataset.remove, button.formAction);
  });

  function drawMark(number, shown) {
    const box = sketch.querySelector(`[data-side="${shown.side}"]`);
    if (!box) return;
    const at = (name) => Number(box.getAttribute(name));
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("class", `spot waits d-${shown.kind.toLowerCase()}`);
    group.dataset.pending = "1";
    const [x, y] = [at("x") + (at("width") * shown.x) / 1000, at("y") + (at("height") * shown.y) / 1000];
    const parts = { circle: { cx: x, cy: y, r: 13 }, text: { x, y, dy: 5 } };
    for (const [name, attributes] of Object.entries(parts)) {
      const part = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
      if (name === "text") part.textContent = number;
      group.append(part);
    }
    sketch.append(group);
  }

  function listMark(number, shown, item) {
    const row = walk.querySelector("template[data-mark-row]").content.firstElementChild.cloneNode(true);
    row.dataset.pending = "1";
    row.classList.add(`d-${shown.kind.toLowerCase()}`);
    row.querySelector(".spot-number").textContent = number;
    row.querySelector("strong").textContent = `${shown.place || shown.sideWord} ${shown.kindWord}`;
    const facts = [shown.size_mm && `${shown.size_mm} mm`, shown.note].filter(Boolean).join(" · ");
    if (facts) row.querySelector("[data-facts]").textContent = `${facts} · `;
    if (item.refused) row.querySelector("[data-wait]").textContent = Object.values(item.refused).flat().join(" ");
    const button = row.querySelector("button");
    button.dataset.remove = shown.uid;
    button.setAttribute("formaction", walk.dataset.removeAddress.replace(/0{8}-[0-]+/, shown.uid));
    button.setAttribute("aria-label", button.getAttribute("aria-label").replace("{n}", number));
    markList.append(row);
  }

  // --- photos ---

  walk.querySelectorAll("[data-keep-photos]").forEach((button) => (button.hidden = true));
  walk.addEventListener("photos", async (event) => {
    event.preventDefault();
    const form = document.getElementById("photo-form");
    const place = document.getElementById("photo_place");
    const about = [["place", place.value], ["mark", chosenMark]];
    place.value = markChoice.value = chosenMark = "";
    for (const file of event.detail) {
      const uid = crypto.randomUUID();
      await queue.put({
        ...late,
        key: uid,
        kind: "photo",
        url: form.action,
        data: [...about, ["uid", uid]],
        file: { field: "photos", name: file.name, type: file.type, bytes: await file.arrayBuffer() },
      });
    }
    queue.flush();
  });

  const pictures = new Map();
  function drawPhoto(item) {
    const figure = document.createElement("figure");
    figure.dataset.pending = "1";
    figure.className = item.refused ? "refused" : "waits";
    const image = document.createElement("img");
    if (!pictures.has(item.key)) pictures.set(item.key, URL.createObjectURL(new Blob([item.file.bytes], { type: item.file.type })));
    image.src = pictures.get(item.key);
    const place = item.data.find(([name]) => name === "place")[1];
    image.alt = place || item.file.name;
    const words = item.refused ? Object.values(item.refused).flat().join(" ") : walk.dataset.waits;
    const caption = Object.assign(document.createElement("figcaption"), { textContent: [place, words].filter(Boolean).join(" · ") });
    figure.append(image, caption);
    const grid = walk.querySelector(".photos[data-photos]");
    grid.insertBefore(figure, grid.querySelector(".add"));
  }

  // --- what is seen ---

  async function draw() {
    const { own, others } = await queue.waiting(visit);
    walk.querySelectorAll("[data-pending]").forEach((drawn) => drawn.remove());
    const gone = new Set([...own, ...unseen].filter((item) => item.kind === "unmark").map((item) => item.mark));
    walk.querySelectorAll("[data-mark]").forEach((drawn) => drawn.toggleAttribute("data-gone", gone.has(drawn.dataset.mark)));
    let number = markList ? markList.querySelectorAll("li[data-mark]").length : 0;
    for (const item of [...unseen, ...own]) {
      if (item.kind === "mark" && !gone.has(item.key)) {
        number += 1;
        drawMark(number, item.shown);
        listMark(number, item.shown, item);
        const option = new Option(`${number} ${item.shown.place || item.shown.sideWord} ${item.shown.kindWord}`, item.key);
        option.dataset.pending = "1";
        markChoice.append(option);
        markChoice.closest("[data-mark-choice]").hidden = false;
      } else if (item.kind === "photo") drawPhoto(item);
    }
    markChoice.value = chosenMark;
    if (markChoice.selectedIndex < 0) markChoice.value = ""; // not drawn yet; it stays chosen all the same
    markList?.querySelector("[data-none]")?.toggleAttribute("hidden", number > 0);
    say(own, others);
  }

  async function refresh() {
    const seen = unseen.length;
    let page;
    try {
      const answer = await fetch(`${location.pathname}?step=look`);
      if (!answer.ok || answer.redirected) return;
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      return;
    }
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const old = walk.querySelector(`[data-live="${fresh.dataset.live}"]`);
      old?.replaceChildren(...fresh.childNodes);
    }
    unseen = unseen.slice(seen);
    stale = false;
    const choice = document.querySelector("[data-mark-choice]");
    choice.hidden = choice.querySelectorAll("option").length < 2;
    draw();
  }

  function say(own, others) {
    const refused = own.filter((item) => item.refused);
    const open = own.length - refused.length;
    const name = refused.length ? "refused" : !open ? "" : queue.state.trouble || "saving";
    for (const part of says.querySelectorAll("[data-state]")) {
      const shows = part.dataset.state === (name || says.dataset.saved) || (part.dataset.state === "others" && others > 0);
      part.hidden = !shows;
      const words = part.querySelector("[data-words]");
      if (words) words.textContent = words.dataset.words.replace("{n}", part.dataset.state === "others" ? others : own.length);
    }
    const fields = new Map(refused.filter((item) => item.kind === "fields").map((item) => [item.step, item.refused]));
    for (const [step, form] of forms) showWrong(form, fields.get(step));
    if (refused.length) {
      const sentences = refused.flatMap((item) => Object.values(item.refused).flat());
      says.querySelector("[data-state=refused] [data-why]").textContent = sentences.join(" ") || says.dataset.unknown;
    }
    walk.querySelector("[data-unlasting]").hidden = queue.state.lasting || own.length === 0;
  }

  queue.listen((event) => {
    if (event.sent?.visit === visit) {
      says.dataset.saved = "saved";
      if (event.at) says.querySelector("[data-saved-at]").textContent = event.at;
      if (event.sent.kind !== "fields") {
        unseen.push(event.sent);
        stale = true;
      }
    }
    if (event.done && stale) refresh();
    draw();
  });

  (async () => {
    const { own } = await queue.waiting(visit);
    for (const item of own) if (item.kind === "fields" && forms.has(item.step)) restore(forms.get(item.step), item.data);
    await draw();
    queue.flush();
  })();
});
