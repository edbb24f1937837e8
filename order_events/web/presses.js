/** Presses on tickets: sent at once, kept while there is no connection, and undone for a while. */

/** How long the last step can be undone, in ms. */
const UNDO_MS = 5_000;
/** How long to wait before a press that did not arrive is sent again, in ms. */
const AGAIN_MS = 3_000;
/** A press to which the server has answered so often that it cannot do it now is given up. */
const MOST_FAILURES = 6;
/** Most presses that wait. Nobody presses more in a time without a connection. */
const MOST = 200;

/**
 * A press is `{order, kind, …}` with the order as it was on the screen:
 * - `status` with `status` and `reason`: the next step
 * - `recall`: the last step is taken back
 * - `item` with `item` and `status`
 * - `acknowledge`: the changes have been seen
 *
 * `send(press)` resolves to the changed order. Its error says by `final` whether the server has
 * refused; with any other error it is not known whether the press arrived. `arrived(press)` then
 * says whether it did, before it is sent a second time: it resolves to the order, or to null. Such
 * an error has a `status` if the server answered, and none without a connection.
 *
 * One press is sent at a time. Those of one order wait for each other, and for no others.
 */
export class Presses {
  #waiting = [];
  #undoable = new Map();
  #busy = false;
  #timer = 0;
  #handlers;

  /** Handlers: `send`, `arrived`, `done(order, press)`, `refused(press, error)`, `changed(id)`. */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  /** Takes a press and sends it. Steps of an order wait for each other. */
  press(press) {
    const known = this.of(press.order.id);
    const again = known.some(({ kind, item }) => kind === press.kind && item === press.item);
    if (again || this.#waiting.length >= MOST) return;
    this.#endUndo(press.order.id);
    this.#waiting.push({ ...press, tried: false, failures: 0, notBefore: 0 });
    this.#handlers.changed(press.order.id);
    this.#next();
  }

  /** The presses on an order that have not been answered. `tried` ones did not get through. */
  of(id) {
    return this.#waiting.filter(({ order }) => order.id === id);
  }

  /** Whether the last step of an order was made here and can still be undone. */
  undoable(id, now = Date.now()) {
    return (this.#undoable.get(id)?.until ?? 0) > now;
  }

  /** Sends what waits, since the connection may be back. */
  retry() {
    for (const press of this.#waiting) press.notBefore = 0;
    this.#next();
  }

  /** Forgets everything: somebody else signs in. */
  clear() {
    clearTimeout(this.#timer);
    this.#waiting = [];
    for (const { timer } of this.#undoable.values()) clearTimeout(timer);
    this.#undoable.clear();
  }

  async #next() {
    clearTimeout(this.#timer);
    if (this.#busy || this.#waiting.length === 0) return;
    const press = this.#due();
    if (press === undefined) {
      const soonest = Math.min(...this.#waiting.map(({ notBefore }) => notBefore));
      this.#timer = setTimeout(() => this.#next(), Math.max(AGAIN_MS / 3, soonest - Date.now()));
      return;
    }
    this.#busy = true;
    try {
      const before = press.tried ? await this.#handlers.arrived(press) : null;
      this.#settle(press, before ?? (await this.#handlers.send(press)));
    } catch (error) {
      this.#failed(press, error);
    }
    this.#busy = false;
    this.#next();
  }

  /** The press to send now: the first one of an order, if it has not just failed. */
  #due() {
    const first = new Map();
    for (const press of this.#waiting) {
      if (!first.has(press.order.id)) first.set(press.order.id, press);
    }
    return [...first.values()].find(({ notBefore }) => notBefore <= Date.now());
  }

  #failed(press, error) {
    if (error.status !== undefined) press.failures += 1;
    if (error.final || press.failures >= MOST_FAILURES) {
      this.#refuse(press, error);
      return;
    }
    press.tried = true;
    const again = Date.now() + AGAIN_MS;
    // Without a connection no other press would get through either.
    for (const waiting of error.status === undefined ? this.#waiting : [press]) waiting.notBefore = again;
    this.#handlers.changed(press.order.id);
  }

  #settle(press, order) {
    if (!this.#drop(press)) return;
    if (press.kind === "status") this.#startUndo(order.id);
    // Our own change must not make our next press look outdated.
    for (const next of this.of(order.id)) next.order = order;
    this.#handlers.done(order, press);
    this.#handlers.changed(order.id);
  }

  #refuse(press, error) {
    if (!this.#drop(press)) return;
    this.#handlers.refused(press, error);
    this.#handlers.changed(press.order.id);
  }

  #startUndo(id) {
    clearTimeout(this.#undoable.get(id)?.timer);
    const timer = setTimeout(() => {
      this.#undoable.delete(id);
      this.#handlers.changed(id);
    }, UNDO_MS);
    this.#undoable.set(id, { until: Date.now() + UNDO_MS, timer });
  }

  #endUndo(id) {
    clearTimeout(this.#undoable.get(id)?.timer);
    this.#undoable.delete(id);
  }

  /** Removes a press; returns false if it was forgotten meanwhile. */
  #drop(press) {
    const i = this.#waiting.indexOf(press);
    if (i < 0) return false;
    this.#waiting.splice(i, 1);
    return true;
  }
}
