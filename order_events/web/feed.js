/** The root socket's client: a restaurant's events, each applied once, across lost connections. */

import { Link } from "./socket.js";

/** Events asked for at first, so that a page that has just been opened is not empty. */
const HISTORY = 300;
/** Events that fall together within this many ms arrive as one message. */
const BATCH_MS = 60;
const SUBSCRIBE = "feed";

/**
 * Handlers, besides `state`, `refused` and `expiring` of the link:
 * - `topics(who)`: the events to subscribe to, by what the server says who we are
 * - `reset(who)`: forget everything and take stock: the first connection, or lost history
 * - `event(event)`: a committed event, in order, exactly once by (epoch, seq)
 * - `live(event)`: a partial transcript; only the latest matters
 */
export class Feed {
  #link;
  #handlers;
  #who = null;
  #position = null;
  #subscribed = false;

  constructor(url, token, handlers) {
    this.#handlers = handlers;
    this.#link = new Link(url, token, {
      ...handlers,
      connected: (connected, who) => this.#subscribe(connected, who),
      message: (message) => this.#receive(message),
    });
  }

  /** The last event that was applied: {epoch, seq}, or null. */
  get position() {
    return this.#position;
  }

  open() {
    this.#link.open();
  }

  close() {
    this.#link.close();
  }

  /** See `Link.renew`. */
  renew(token) {
    this.#link.renew(token);
  }

  #subscribe({ epoch, seq }, who) {
    this.#who = who;
    // Until the answer, the server sends what it sends to those who never subscribe: without the
    // events that we have missed, and so not for us.
    this.#subscribed = false;
    this.#link.send({
      type: "subscribe",
      id: SUBSCRIBE,
      events: this.#handlers.topics(who),
      since: this.#position ?? { epoch, seq: Math.max(0, seq - HISTORY) },
      batch_ms: BATCH_MS,
    });
  }

  #receive(message) {
    if (message.type === "subscribed") this.#begin(message.data);
    else if (message.type === "error") this.#error(message);
    else if (!this.#subscribed) return;
    else if (message.seq !== undefined) this.#apply(message);
    else if (message.type === "voice:transcript") this.#handlers.live(message);
  }

  #begin({ recovered, epoch, seq }) {
    this.#subscribed = true;
    if (this.#position !== null && recovered) return;
    this.#position = { epoch, seq };
    this.#handlers.reset(this.#who);
  }

  #apply(event) {
    if (event.epoch === this.#position.epoch && event.seq <= this.#position.seq) return;
    this.#position = { epoch: event.epoch, seq: event.seq };
    this.#handlers.event(event);
  }

  #error(message) {
    if (message.id !== SUBSCRIBE) return;
    this.#link.close();
    this.#handlers.refused(message.data.code, message.data.message);
  }
}
