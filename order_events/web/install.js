/** Lets a screen start without the server, and be installed like an app. */

import { address } from "./session.js";

/** Registers the worker that keeps the pages' files, and tells it what this page has needed. */
export async function keepShell() {
  // Browsers allow it over https and on the machine itself only.
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(address("service-worker.js"));
    const { active } = await navigator.serviceWorker.ready;
    const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
    active?.postMessage({ needed: [location.origin + location.pathname, ...loaded] });
  } catch (error) {
    // The page works without it, as long as the server can be reached.
    reportError(error);
  }
}
