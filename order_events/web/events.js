/** Client of the root socket: each of a restaurant's events once and in order, over lost connections. */

import { Link, Refused, socketUrl } from "./socket.js";

export { Refused };

/** Events that may wait; then the connection is given up until they have been read. */
const MOST_WAITING = 10_000;
const SUBSCRIBE = "subscribe";
/** A subscription refused with one of these may be accepted later. */
const PASSING = ["RATE_LIMITED", "OVERLOADED", "UNAVAILABLE", "INTERNAL"];

/** Events after your position are gone. Load the state again; what follows is after `position`. */
export class HistoryLost extends Error {
  constructor(position) {
    super("history no longer reaches back; load the state again");
    this.name = "HistoryLost";
    this.position = position;
  }
}

/**
 * Follows a restaurant's events. Iterate over the result, or give callbacks.
 * - `url`: the server's address
 * - `token`: a text, or a function (async or not) that returns a fresh one
 * - `subscribe`: what `subscribe` takes (`events`, `filters`, `batch_ms`), or a function of who the
 *   server says we are; by default everything that the role may see
 * - `since`: the stored position `{epoch, seq}`, or a function of the server's position that
 *   returns where to start
 * - `silence`: see `Link`
 *
 * Callbacks, called one after another; what they return is awaited:
 * - `onStart(position, who)`: subscribed for the first time; delivery starts after `position`
 * - `onEvent(event)`: an event. A partial transcript has no `seq`; only the latest matters
 * - `onHistoryLost(position, who)`: see HistoryLost
 * - `onEnd(error)`: a Refused, or what a callback threw: there will be no more events
 * At once: `onState(state)`, `onExpiring(time)`, as `Link` has them.
 */
export function connectEvents(options) {
  return new Events(options);
}

class Events {
  #options;
  #link;
  #who = null;
  #received;
  #delivered;
  #subscribed = false;
  #items = [];
  #wake = null;
  #settleReady;
  #held = false;
  #closed = false;
  #failure = null;

  constructor(options) {
    this.#options = options;
    const given = typeof options.since === "function" ? null : options.since;
    this.#received = this.#delivered = given ?? null;
    /** Resolves to the position where delivery starts, once it does; rejects with Refused. */
    this.ready = new Promise((resolve, reject) => (this.#settleReady = { resolve, reject }));
    this.ready.catch(() => undefined);
    this.#link = new Link(
      socketUrl(options.url, "?subscribe=explicit"),
      options.token,
      {
        connected: (connected, who) => this.#subscribe(connected, who),
        message: (message) => this.#receive(message),
        state: options.onState,
        refused: (error) => this.#fail(error),
        expiring: options.onExpiring,
      },
      options.silence,
    );
    this.#link.open();
    if (options.onEvent) this.#callBack();
  }

  /** The position of the event that you got last; at first, `since`. */
  get position() {
    return this.#delivered;
  }

  /** Asks `token` for a fresh one now. */
  renew() {
    return this.#link.renew();
  }

  /** Disconnects. Events that were not delivered come again with the next `since`. */
  close() {
    this.#closed = true;
    this.#items = [];
    this.#settleReady.reject(new Error("closed"));
    this.#link.close();
    this.#wake?.();
  }

  /** Rejects with HistoryLost once for each loss, and then goes on; with Refused for good. */
  async next() {
    for (;;) {
      const item = await this.#item();
      if (item === null) return { done: true, value: undefined };
      if (item.lost) throw new HistoryLost(item.position);
      if (item.event) return { done: false, value: item.event };
    }
  }

  async return() {
    this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  async #callBack() {
    const { onStart, onEvent, onHistoryLost, onEnd } = this.#options;
    try {
      for (let item = await this.#item(); item !== null; item = await this.#item()) {
        if (item.event) await onEvent(item.event);
        else if (!item.lost) await onStart?.(item.position, this.#who);
        else if (onHistoryLost) await onHistoryLost(item.position, this.#who);
        else throw new HistoryLost(item.position);
      }
    } catch (error) {
      this.close();
      if (!onEnd) throw error;
      onEnd(error);
    }
  }

  /** Returns the next thing to deliver, or null after `close`. */
  async #item() {
    while (this.#items.length === 0) {
      if (this.#failure) throw this.#failure;
      if (this.#closed) return null;
      if (this.#held) {
        this.#held = false;
        this.#link.open();
      }
      await new Promise((resolve) => (this.#wake = resolve));
    }
    const item = this.#items.shift();
    this.#delivered = item.position ?? this.#delivered;
    return item;
  }

  #push(item) {
    this.#items.push(item);
    this.#wake?.();
    if (this.#items.length < MOST_WAITING || this.#held) return;
    this.#held = true;
    this.#link.hold("the consumer is behind");
  }

  #fail(error) {
    this.#failure = error;
    this.#settleReady.reject(error);
    this.#wake?.();
  }

  #subscribe(connected, who) {
    this.#who = who;
    const { subscribe = { events: ["*"] }, since } = this.#options;
    const from = this.#received ?? (typeof since === "function" ? since(connected) : null);
    this.#link.send({
      type: "subscribe",
      id: SUBSCRIBE,
      ...(typeof subscribe === "function" ? subscribe(who) : subscribe),
      ...(from ? { since: from } : {}),
    });
  }

  #receive(message) {
    if (this.#held) return;
    if (message.type === "subscribed") this.#begin(message.data);
    else if (message.type === "error") this.#complaint(message);
    else if (message.restaurant_id !== undefined) this.#take(message);
  }

  #begin({ recovered, epoch, seq }) {
    const position = { epoch, seq };
    const lost = this.#received !== null && !recovered;
    if (this.#received === null || lost) {
      this.#received = position;
      this.#push({ lost, position });
    } else if (!this.#subscribed) this.#push({ position });
    this.#subscribed = true;
    this.#settleReady.resolve(position);
  }

  #take(event) {
    const { epoch, seq } = event;
    if (seq === undefined) return this.#push({ event });
    if (epoch === this.#received.epoch && seq <= this.#received.seq) return;
    this.#received = { epoch, seq };
    this.#push({ event, position: this.#received });
  }

  #complaint({ id, data }) {
    if (id !== SUBSCRIBE) return;
    if (PASSING.includes(data.code)) return this.#link.cut(data.message);
    this.#link.close();
    this.#fail(new Refused(data.code, data.message));
  }
}
