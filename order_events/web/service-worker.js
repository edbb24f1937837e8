/** Keeps the pages' own files, so that a screen starts while the server cannot be reached. What the
 *  restaurant does is never kept here: `/v1` and the sockets are none of its business. */

const CACHE = "voice-ordering.shell";
/** The network has so long before a file that is kept is taken instead, in ms. */
const PATIENCE_MS = 4_000;
const SCOPE = new URL(registration.scope).pathname;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("message", ({ data }) => {
  // What a page needed before this worker saw its requests.
  for (const address of data.needed ?? []) if (isShell(new URL(address))) void fetched(new Request(address));
});
addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method === "GET" && isShell(new URL(request.url))) event.respondWith(answer(request));
});

/** Whether a URL is that of a page or of a file of the pages. */
function isShell({ origin, pathname }) {
  if (origin !== location.origin) return false;
  return pathname === SCOPE || pathname.startsWith(`${SCOPE}web/`);
}

async function answer(request) {
  const fresh = fetched(request);
  fresh.catch(() => undefined);
  const slow = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  const first = await Promise.race([fresh, slow]).catch(() => undefined);
  // A proxy answers for a server that is down.
  if (first !== undefined && first.status < 500) return first;
  return (await kept(request)) ?? first ?? fresh;
}

async function fetched(request) {
  const response = await fetch(request);
  if (response.ok) {
    const cache = await caches.open(CACHE);
    await cache.put(plain(request.url), response.clone());
  }
  return response;
}

async function kept(request) {
  return (await caches.open(CACHE)).match(plain(request.url));
}

/** A URL without its query: it never changes what a file contains. */
function plain(url) {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
