/** The same as keep.py, with the JavaScript client:
 *
 *      node benchmarks/consumers/keep.mjs URL TOKEN DATABASE
 */

import { DatabaseSync } from "node:sqlite";

import { connectEvents } from "../../order_events/web/events.js";

const [url, token, path] = process.argv.slice(2);
const db = new DatabaseSync(path, { timeout: 5_000 });
db.exec(`
  PRAGMA journal_mode=WAL;
  CREATE TABLE IF NOT EXISTS events (event_id TEXT, seq INTEGER);
  CREATE TABLE IF NOT EXISTS position (id INTEGER PRIMARY KEY, epoch TEXT, seq INTEGER);
`);
const putEvent = db.prepare("INSERT INTO events VALUES (?, ?)");
const putPosition = db.prepare("INSERT OR REPLACE INTO position VALUES (1, ?, ?)");

const since = db.prepare("SELECT epoch, seq FROM position WHERE id = 1").get();
const events = connectEvents({ url, token, since: since && { ...since } });
const start = await events.ready;
// Row 0 is where it all began: the benchmark compares what has happened since.
db.prepare("INSERT OR IGNORE INTO position VALUES (0, ?, ?)").run(start.epoch, start.seq);
putPosition.run(start.epoch, start.seq);
for await (const { event_id, epoch, seq } of events) {
  if (seq === undefined) continue;
  db.exec("BEGIN");
  putEvent.run(event_id, seq);
  putPosition.run(epoch, seq);
  db.exec("COMMIT");
}
