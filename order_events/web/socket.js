/** One authenticated socket that reconnects when it is lost. The clients of both pages use it. */

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
const CONNECT_TIMEOUT_MS = 15_000;
const PING_AFTER_MS = 25_000;
const PONG_TIMEOUT_MS = 10_000;
/** After a connection has lasted this long, the next loss starts again with the shortest delay. */
const STEADY_MS = 10_000;
const POLICY = 1008;

/** Milliseconds to wait before attempt `n` (from 0): 1 s, doubling up to 30 s. A random part of up
 *  to half is taken off, so that a restaurant's screens do not all reconnect at once. */
export function backoff(n, random = Math.random()) {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** n) * (0.5 + random / 2);
}

/**
 * Handlers:
 * - `connected(connected, who)`: ready to send. Gets the data of `connected` and of `auth:success`
 * - `message(message)`: anything else that the server sends; batches are split into events
 * - `state(state)`: `{name: "connecting" | "online" | "waiting" | "closed", until?, why?}`
 * - `refused(code, message)`: the token is not accepted here; the link is closed
 * - `expiring(time)`: the token expires at that time; pass a fresh one to `renew`
 */
export class Link {
  #url;
  #token;
  #handlers;
  #socket = null;
  #who = null;
  #online = false;
  #attempt = 0;
  #notBefore = 0;
  #lastError = null;
  #timers = { retry: 0, connect: 0, ping: 0, steady: 0 };
  #onNetwork = () => this.#networkIsBack();

  constructor(url, token, handlers) {
    this.#url = url;
    this.#token = token;
    this.#handlers = handlers;
  }

  /** Bytes that have not been sent yet. */
  get buffered() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  open() {
    addEventListener("online", this.#onNetwork);
    this.#connect();
  }

  close() {
    removeEventListener("online", this.#onNetwork);
    this.#drop(1000);
    clearTimeout(this.#timers.retry);
    this.#handlers.state({ name: "closed" });
  }

  /** Sends a message. Returns false, and sends nothing, while there is no connection. */
  send(message) {
    if (!this.#online || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Uses a fresh token, for the open connection and for later ones. */
  renew(token) {
    this.#token = token;
    this.send({ type: "auth", token });
  }

  #connect() {
    clearTimeout(this.#timers.retry);
    this.#handlers.state({ name: "connecting" });
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#lastError = null;
    socket.onopen = () => socket.send(JSON.stringify({ type: "auth", token: this.#token }));
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => this.#lost(event.code, event.reason);
    this.#timers.connect = setTimeout(() => this.#cut("no answer"), CONNECT_TIMEOUT_MS);
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
        this.#handlers.state({ name: "online", serverTime: Date.parse(message.timestamp) });
        this.#handlers.connected(message.data, this.#who);
        return;
      case "auth:expiring":
        this.#handlers.expiring?.(Date.parse(message.data.expires_at));
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

  /** Any message shows that the server is alive, so the next ping waits until it has been silent. */
  #expectNothing() {
    clearTimeout(this.#timers.ping);
    this.#timers.ping = setTimeout(() => {
      if (!this.send({ type: "ping" })) return;
      this.#timers.ping = setTimeout(() => this.#cut("no answer"), PONG_TIMEOUT_MS);
    }, PING_AFTER_MS);
  }

  /** Drops a silent connection without waiting for its closing handshake. */
  #cut(why) {
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
    this.#drop();
    if (code === POLICY) {
      removeEventListener("online", this.#onNetwork);
      this.#handlers.state({ name: "closed" });
      const error = this.#lastError;
      this.#handlers.refused(error?.code ?? "UNAUTHORIZED", error?.message ?? reason);
      return;
    }
    const wait = Math.max(backoff(this.#attempt), this.#notBefore - Date.now());
    this.#attempt += 1;
    this.#timers.retry = setTimeout(() => this.#connect(), wait);
    this.#handlers.state({ name: "waiting", until: Date.now() + wait, why: reason });
  }

  #networkIsBack() {
    if (this.#socket === null) this.#connect();
  }
}
