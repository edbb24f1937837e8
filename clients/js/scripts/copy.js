/** Copies the modules that the server serves into the package; they have no other source. */

import { copyFileSync, mkdirSync, rmSync } from "node:fs";

const source = new URL("../../../order_events/web/", import.meta.url);
const target = new URL("../lib/", import.meta.url);
const modules = ["capture.js", "events.js", "pcm-worklet.js", "recordings.js", "socket.js", "voice.js", "webhooks.js"];

rmSync(target, { recursive: true, force: true });
mkdirSync(target);
for (const name of modules) copyFileSync(new URL(name, source), new URL(name, target));
copyFileSync(new URL("../../../LICENSE", import.meta.url), new URL("../LICENSE", import.meta.url));
