// Where the network is gone, a page that its technician keeps on this device (static/js/jobs.js) is shown as it was last
// seen. Nothing is kept here, nothing is sent from here.
const PATIENCE_MS = 5000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function asLastSeen(request, answer) {
  const kept = await caches.match(request, { ignoreVary: true });
  // A page that isn't kept leads to the jobs, which say why (the fragment, read by static/js/jobs.js).
  if (!kept) return (await caches.match("/my-jobs/", { ignoreVary: true })) ? Response.redirect("/my-jobs/#unkept") : answer;
  // The page's clock stood still since: it is said to be an old page, so that no time is counted from it.
  const text = (await kept.text()).replace(" data-now=", " data-was=");
  const headers = new Headers(kept.headers);
  headers.delete("content-length");
  headers.delete("content-encoding");
  return new Response(text, { status: 200, headers });
}

const late = () => new Promise((done) => setTimeout(() => done(null), PATIENCE_MS));

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  if (event.request.mode !== "navigate") {
    const { origin, pathname } = new URL(event.request.url);
    if (origin !== self.location.origin || !pathname.startsWith("/static/")) return;
    event.respondWith(fetch(event.request).catch(async () => (await caches.match(event.request, { ignoreVary: true })) ?? Response.error()));
    return;
  }
  event.respondWith(
    (async () => {
      const answer = fetch(event.request).catch(() => Response.error());
      const first = await Promise.race([answer, late()]);
      if (first && first.type !== "error") return first;
      return asLastSeen(event.request, first ?? answer);
    })(),
  );
});
