/** The signed-in user: a token that was pasted in, kept for this tab only. */

const TOKEN = "voice-ordering.token";

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
 *  With a `key`, a creation can be repeated. */
export async function ask(path, { method = "GET", body, key } = {}) {
  const headers = { Authorization: `Bearer ${currentToken()}` };
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
