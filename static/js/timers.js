// Times that run on: data-since counts up from the instant of its <time>, data-clock shows the hour of the store.
// The words come from the page's <meta name="words">, so that they are translated where all others are.
import { once } from "./once.js";

const words = document.querySelector('meta[name="words"]')?.dataset ?? {};
const fill = (pattern, values) => (pattern ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name]);
// The page's clock is the server's: a device may be wrong, and a demo may run at another hour.
const pageAhead = document.body.dataset.now ? Date.parse(document.body.dataset.now) - Date.now() : Number(localStorage.getItem("clock-ahead")) || 0;
const two = (number) => String(number).padStart(2, "0");

function span(minutes) {
  const whole = Math.max(1, Math.round(minutes));
  const hours = Math.floor(whole / 60);
  const rest = whole % 60;
  if (hours >= 48) return fill(words.days, { d: Math.floor(hours / 24) });
  if (hours && rest) return fill(words.hoursMinutes, { h: hours, m: rest });
  return hours ? fill(words.hours, { h: hours }) : fill(words.minutes, { m: whole });
}

function stopwatch(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const tail = `${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`;
  return hours ? `${hours}:${tail}` : tail;
}

export function wireTimers(root) {
  once(root, "time[data-since]", "Since", (element) => {
    const kind = element.dataset.since;
    const show = () => {
      const seconds = (Date.now() + pageAhead - Date.parse(element.dateTime)) / 1000;
      if (kind === "stopwatch") element.textContent = stopwatch(seconds);
      else if (kind === "wait") element.textContent = fill(words.waiting, { span: span(seconds / 60) });
      else element.textContent = span(seconds / 60);
    };
    const timer = setInterval(
      () => (element.isConnected ? show() : clearInterval(timer)),
      kind === "stopwatch" ? 1000 : 20000,
    );
    if (kind === "stopwatch") show();
  });
}

export function wireClock() {
  const clock = document.querySelector("time[data-clock]");
  if (!clock) return;
  const ahead = "was" in document.body.dataset ? pageAhead : Date.parse(clock.dateTime) - Date.now();
  const face = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: clock.dataset.clock });
  setInterval(() => (clock.textContent = face.format(new Date(Date.now() + ahead))), 5000);
}
