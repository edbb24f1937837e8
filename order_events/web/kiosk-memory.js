/** The guest's session, kept in the tab so that a page that is loaded again comes back to it. */

const KEY = "voice-ordering.session";
/** The server keeps a session for 30 s without a connection; a little more does no harm. */
const LONGEST_MS = 60_000;

/** Remembers that a session goes on now: `{session, language}`. */
export function remember(session, language, now = Date.now()) {
  sessionStorage.setItem(KEY, JSON.stringify({ session, language, at: now }));
}

export function forget() {
  sessionStorage.removeItem(KEY);
}

/** The session that went on until a moment ago, or null. */
export function remembered(now = Date.now()) {
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  return kept !== null && now - kept.at < LONGEST_MS ? kept : null;
}
