/** Client of the root socket: a restaurant's events, each applied once, even if connections are lost. */

import { Link } from "./socket.js";

/** How many past events a new page asks for, so that it does not start empty. */
const HISTORY = 300;
/** Events within this many ms of each other arrive as one message. */
const BATCH_MS = 60;
const SUBSCRIBE = "feed";

/**
 * Handlers, in addition to `state`, `refused` and `expiring` of the link:
 * - `topics(who)`: the events to subscribe to, given who the server says we are
 * - `reset(who)`: discard everything and load the state again (first connection, or lost history)
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

  /** The position of the last applied event, {epoch, seq}, or null. */
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
    // Until `subscribed` arrives, the server sends live events as to a client that never subscribed.
    // We ignore them: the events that we missed must come first.
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
