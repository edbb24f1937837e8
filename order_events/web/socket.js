/** One authenticated socket that reconnects when it is lost. The clients of both sockets use it. */

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
const CONNECT_TIMEOUT_MS = 15_000;
const SILENCE_MS = 25_000;
const PONG_TIMEOUT_MS = 4_000;
/** After a connection has lasted this long, the next loss starts again with the shortest delay. */
const STEADY_MS = 10_000;
const POLICY = 1008;

/** The server does not accept this client, and trying again cannot help. */
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.name = "Refused";
    this.code = code;
  }
}

/** Milliseconds to wait before attempt `n` (from 0): 1 s, doubling up to 30 s. A random part of up
 *  to half is taken off, so that a restaurant's screens do not all reconnect at once. */
export function backoff(n, random = Math.random()) {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** n) * (0.5 + random / 2);
}

/** The address of a socket of the server at `url`, whatever prefix it is behind. */
export function socketUrl(url, path = "") {
  const base = new URL(url);
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  const address = new URL(path, base);
  address.protocol = address.protocol.replace("http", "ws");
  return address.href;
}

/**
 * `token` is a text, or a function (async or not) that returns a fresh one; null signs out.
 * `silence`: after so many ms without a message the server is pinged, and left 4 s later. Handlers:
 * - `connected(connected, who)`: ready to send. Gets the data of `connected` and of `auth:success`
 * - `message(message)`: anything else that the server sends; batches are split into events
 * - `state(state)`: `{name: "connecting" | "online" | "waiting" | "closed", until?, why?}`
 * - `refused(error)`: a Refused; the link is closed
 * - `expiring(time)`: the token expires at that time. A fresh one is asked for and sent
 */
export class Link {
  #url;
  #token;
  #handlers;
  #silence;
  #socket = null;
  #sent = null;
  #who = null;
  #opened = 0;
  #online = false;
  #attempt = 0;
  #notBefore = 0;
  #lastError = null;
  #timers = { retry: 0, connect: 0, ping: 0, steady: 0 };
  #onNetwork = () => this.#networkIsBack();

  constructor(url, token, handlers, silence = SILENCE_MS) {
    this.#url = url;
    this.#token = token;
    this.#handlers = handlers;
    this.#silence = silence;
  }

  /** Bytes that have not been sent yet. */
  get buffered() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  open() {
    globalThis.addEventListener?.("online", this.#onNetwork);
    this.#connect();
  }

  close() {
    this.#end(1000);
  }

  /** Disconnects without an end: `open` connects again. */
  hold(why) {
    this.#leave(1000);
    this.#handlers.state?.({ name: "waiting", why });
  }

  /** Sends a message. Returns false, and sends nothing, while there is no connection. */
  send(message) {
    if (!this.#online || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Asks for a token and sends it, if it is another one. */
  async renew() {
    const opened = this.#opened;
    const token = await this.#ask().catch(() => null);
    if (opened !== this.#opened || !token || token === this.#sent) return;
    if (this.send({ type: "auth", token })) this.#sent = token;
  }

  async #ask() {
    return typeof this.#token === "function" ? this.#token() : this.#token;
  }

  async #connect() {
    clearTimeout(this.#timers.retry);
    this.#opened += 1;
    const opened = this.#opened;
    this.#handlers.state?.({ name: "connecting" });
    let token;
    try {
      token = await this.#ask();
    } catch (error) {
      if (opened === this.#opened) this.#lost(0, `no token: ${error.message}`);
      return;
    }
    if (opened !== this.#opened) return;
    if (!token) return this.#refuse("UNAUTHORIZED", "there is no token");
    this.#sent = token;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#lastError = null;
    socket.onopen = () => socket.send(JSON.stringify({ type: "auth", token }));
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => this.#lost(event.code, event.reason);
    this.#timers.connect = setTimeout(() => this.cut("no answer"), CONNECT_TIMEOUT_MS);
  }

  #receive(message) {
    this.#expectNothing();
    switch (message.type) {
      case "batch":
        for (const event of message.events) this.#handlers.message(event);
        return;
      case "auth:success":
        this.#who = message.data;
        if (this.#online) this.#handlers.message(message);
        return;
      case "connected":
        this.#online = true;
        clearTimeout(this.#timers.connect);
        this.#timers.steady = setTimeout(() => (this.#attempt = 0), STEADY_MS);
        this.#handlers.state?.({ name: "online", serverTime: Date.parse(message.timestamp) });
        this.#handlers.connected(message.data, this.#who);
        return;
      case "auth:expiring":
        this.#handlers.expiring?.(Date.parse(message.data.expires_at));
        this.renew();
        return;
      case "going_away":
        this.#notBefore = Date.now() + message.data.retry_after_ms;
        return;
      case "error":
        this.#lastError = message.data;
        if (message.data.code === "OVERLOADED") {
          this.#notBefore = Date.now() + (message.data.retry_after_ms ?? 0);
        }
    }
    this.#handlers.message(message);
  }

  /** Any message shows that the server is alive: it is pinged once it has been silent. */
  #expectNothing() {
    clearTimeout(this.#timers.ping);
    this.#timers.ping = setTimeout(() => {
      if (!this.send({ type: "ping" })) return;
      this.#timers.ping = setTimeout(() => this.cut("no answer"), PONG_TIMEOUT_MS);
    }, this.#silence);
  }

  /** Gives a connection up without its closing handshake, and tries again later. */
  cut(why) {
    this.#drop();
    this.#lost(0, why);
  }

  #drop(code) {
    const socket = this.#socket;
    this.#socket = null;
    this.#online = false;
    clearTimeout(this.#timers.connect);
    clearTimeout(this.#timers.ping);
    clearTimeout(this.#timers.steady);
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code);
  }

  #lost(code, reason) {
    // A token that was accepted once has expired or was revoked: a fresh one may be accepted.
    const final = !this.#online || typeof this.#token !== "function";
    this.#drop();
    if (code === POLICY && final) {
      const error = this.#lastError;
      return this.#refuse(error?.code ?? "UNAUTHORIZED", error?.message ?? reason);
    }
    const wait = Math.max(backoff(this.#attempt), this.#notBefore - Date.now());
    this.#attempt += 1;
    this.#timers.retry = setTimeout(() => this.#connect(), wait);
    this.#handlers.state?.({ name: "waiting", until: Date.now() + wait, why: reason });
  }

  #refuse(code, message) {
    this.#end();
    this.#handlers.refused(new Refused(code, message));
  }

  #end(code) {
    this.#leave(code);
    this.#handlers.state?.({ name: "closed" });
  }

  #leave(code) {
    globalThis.removeEventListener?.("online", this.#onNetwork);
    this.#opened += 1;
    this.#drop(code);
    clearTimeout(this.#timers.retry);
  }

  #networkIsBack() {
    if (this.#socket === null) this.#connect();
  }
}
