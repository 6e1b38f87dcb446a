// Wires every behaviour once for the page and again for whatever htmx brings in. Nothing here is needed for a page to work.
import { wireDialogs } from "./dialogs.js";
import { wireDrafts } from "./drafts.js";
import { wireFlow } from "./flow.js";
import { wireInserts } from "./insert.js";
import { wireKeys } from "./keys.js";
import { wireMenus } from "./menus.js";
import { wirePhotos } from "./photos.js";
import { wirePlatePads } from "./platepad.js";
import { wirePlan } from "./plan.js";
import { wirePrint } from "./print.js";
import { wireScan } from "./scan.js";
import { wireSearch } from "./search.js";
import { wireSignatures } from "./signature.js";
import { wireSubmits } from "./submits.js";
import { wireClock, wireTimers } from "./timers.js";
import { wireToasts } from "./toasts.js";
import { wireTyped } from "./typed.js";
import { wireViews } from "./views.js";
import { wireWrong } from "./wrong.js";

const behaviours = [wireTimers, wireDialogs, wireDrafts, wireInserts, wirePhotos, wirePlan, wirePlatePads, wirePrint, wireSearch, wireSignatures, wireToasts, wireViews];

function wire(root) {
  for (const behaviour of behaviours) behaviour(root);
}

wireScan();
wireKeys();
wireFlow();
wireMenus();
wireSubmits();
wireClock();
wireTyped();
if (document.body.dataset.who && localStorage.getItem("queue-waiting") !== null && !document.querySelector("[data-walk], [data-check-sheet]")) {
  import("./queue.js").then(({ wireQueueNote }) => wireQueueNote());
}
// Nobody is signed in: pages that a technician kept on this device go with the session.
if (!document.body.dataset.who && "caches" in window && localStorage.getItem("jobs-kept-for") !== null) {
  localStorage.removeItem("jobs-kept-for");
  caches.delete("jobs");
}
wire(document);
wireWrong();
document.addEventListener("htmx:load", (event) => {
  if (event.target !== document.body) wire(event.target);
});
