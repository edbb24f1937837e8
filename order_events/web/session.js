/** Who is signed in: somebody with a token, kept for this tab only, or a screen that was paired. */

const TOKEN = "voice-ordering.token";
const SCREEN = "voice-ordering.screen";
const OPENS = "voice-ordering.opens";
/** A screen's token is replaced this long before it expires, in ms. */
const SPARE_MS = 120_000;

let screenToken = { token: null, until: 0 };
let asking = null;

/** Reads the parameters of the URL fragment (`#token=…&lane=…`) and removes it from the address bar. */
export function takeFragment() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  if (location.hash !== "") {
    history.replaceState(null, "", location.pathname + location.search);
  }
  const token = parameters.get("token");
  if (token) sessionStorage.setItem(TOKEN, token.trim());
  return parameters;
}

/** The token of this tab, or null. */
export function currentToken() {
  return sessionStorage.getItem(TOKEN);
}

/** Stores a token; null removes it. */
export function keepToken(token) {
  if (token === null) sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, token);
}

/** What this screen is paired as, `{device_id, credential, role, name, lane}`, or null. */
export function pairedScreen() {
  const kept = localStorage.getItem(SCREEN);
  return kept === null ? null : JSON.parse(kept);
}

/** Stores what this screen is paired as; null forgets it. */
export function keepScreen(screen) {
  screenTokenRefused();
  if (screen === null) localStorage.removeItem(SCREEN);
  else localStorage.setItem(SCREEN, JSON.stringify(screen));
}

/** Says which page this screen opens with: `board`, or null for that of the staff. */
export function opensAt(page) {
  if (page === null) localStorage.removeItem(OPENS);
  else localStorage.setItem(OPENS, page);
}

/** The page that a paired screen opens with instead of that of the staff; null: it opens that one. */
export function otherPage() {
  return pairedScreen() === null || currentToken() !== null ? null : localStorage.getItem(OPENS);
}

/** Whether there is anything to sign in with. */
export function mayStart() {
  return currentToken() !== null || pairedScreen() !== null;
}

/** The token to use: the one of this tab, or else one of the paired screen; null without either.
 *  Throws as `ask` does, except that a screen that is not paired any more forgets it. */
export async function token() {
  return currentToken() ?? (pairedScreen() === null ? null : tokenOfScreen());
}

/** Says that the paired screen's token was refused: the next one is asked for. */
export function screenTokenRefused() {
  screenToken = { token: null, until: 0 };
}

/** A token of the paired screen itself. */
export async function tokenOfScreen() {
  if (Date.now() < screenToken.until) return screenToken.token;
  asking ??= freshToken().finally(() => (asking = null));
  return asking;
}

async function freshToken() {
  const screen = pairedScreen();
  try {
    const body = { credential: screen.credential };
    const answer = await ask("v1/devices/token", { method: "POST", body, as: null });
    if (answer.credential) keepScreen({ ...screen, credential: answer.credential });
    screenToken = { token: answer.token, until: Date.parse(answer.expires_at) - SPARE_MS };
    return answer.token;
  } catch (error) {
    if (error.status !== 401) throw error;
    // Another tab of this screen has renewed the credential meanwhile.
    const now = pairedScreen();
    if (now !== null && now.credential !== screen.credential) return freshToken();
    keepScreen(null);
    return null;
  }
}

/** The URL of a path on the server that served this module, whatever prefix it is behind. */
export function address(path) {
  return new URL(`../${path}`, import.meta.url);
}

/** An error answer of the HTTP API. `code` is the protocol's; `message` is safe to show. */
export class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** Whether it would be refused again: it does not fail for lack of time, room or a sign-in. */
  get final() {
    return this.status < 500 && ![401, 408, 429].includes(this.status);
  }
}

/** Calls the HTTP API as the signed-in user. Throws Refusal, or TypeError without a network.
 *  With a `key`, a creation can be repeated. `as` is another token to use; null uses none.
 *  @param {string} path
 *  @param {{method?: string, body?: unknown, key?: string, as?: string | null}} [options]
 *  @returns {Promise<any>} */
export async function ask(path, { method = "GET", body, key, as } = {}) {
  const bearer = as === undefined ? await token() : as;
  const headers = bearer === null ? {} : { Authorization: `Bearer ${bearer}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key !== undefined) headers["Idempotency-Key"] = key;
  const response = await fetch(address(path), {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    signal: AbortSignal.timeout(15_000),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    const error = answer.error ?? {};
    throw new Refusal(
      response.status,
      error.code ?? "INTERNAL",
      error.message ?? `the server answered ${response.status}`,
    );
  }
  return answer;
}
