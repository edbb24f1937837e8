/** The orders known to this page, and what the server is asked about them. */

import { ask } from "./session.js";
import { ACTIVE, FINISHED } from "./tickets.js";

const FINISHED_KEPT = 100;
const PAGE = 200;
/** At most this many pages are read per status. Nobody could work with more open orders on a screen. */
const PAGES = 5;

/** Orders by id. An older version never replaces a newer one. */
export class OrderBook {
  #orders = new Map();

  get(id) {
    return this.#orders.get(id);
  }

  get all() {
    return [...this.#orders.values()];
  }

  /** Finished orders, the latest first. */
  get finished() {
    return this.all
      .filter((order) => FINISHED.includes(order.status))
      .sort((a, b) => b.updated_at.localeCompare(a.updated_at));
  }

  /** Stores an order. Returns false if nothing is new. */
  apply(order) {
    const known = this.#orders.get(order.id);
    if (known !== undefined && known.version >= order.version) return false;
    // Events from before an update of the server lack what was added since.
    this.#orders.set(order.id, { attention: [], changes: [], ...order });
    if (this.#orders.size > FINISHED_KEPT) {
      for (const old of this.finished.slice(FINISHED_KEPT)) this.#orders.delete(old.id);
    }
    return true;
  }

  clear() {
    this.#orders.clear();
  }
}

/** Loads every open order and the most recent finished ones. Throws as `ask` does. */
export async function loadOrders() {
  const open = await Promise.all(ACTIVE.map((status) => loadStatus(status, PAGE, PAGES)));
  const finished = await Promise.all(FINISHED.map((status) => loadStatus(status, 50, 1)));
  return [...open, ...finished].flat();
}

/** Loads the orders with a status, in at most so many pages of `limit`. Throws as `ask` does. */
export async function loadStatus(status, limit, pages) {
  const orders = [];
  let before = null;
  for (let page = 0; page < pages; page += 1) {
    const query = new URLSearchParams({ status, limit });
    if (before !== null) query.set("before", before);
    const answer = await ask(`v1/orders?${query}`);
    orders.push(...answer.orders);
    before = answer.before;
    if (before === null) break;
  }
  return orders;
}

/** Loads the current state of an order. */
export async function loadOrder(id) {
  return (await ask(path(id))).order;
}

/** Sends a press (see `Presses`) and returns the changed order. Throws Refusal, also if somebody
 *  else changed the order first.
 *  @param {{order: any, kind: string, status?: string, reason?: string, item?: string}} press */
export async function sendPress({ order: { id, version }, kind, status, reason, item }) {
  const bodies = {
    status: { status, version, ...(reason ? { reason } : {}) },
    recall: { version },
    acknowledge: { version },
    item: { status },
  };
  const action = kind === "item" ? `items/${encodeURIComponent(item)}/status` : kind;
  return (await ask(`${path(id)}/${action}`, { method: "POST", body: bodies[kind] })).order;
}

/** Returns the order if a press has arrived at the server already, otherwise null. */
export async function arrivedPress({ order, kind, status, item }) {
  const now = await loadOrder(order.id);
  const arrived = {
    status: () => now.status === status,
    recall: () => now.status !== order.status && !(order.status in now.status_times),
    acknowledge: () => now.changes.length === 0,
    item: () => now.items.find(({ id }) => id === item)?.status === status,
  }[kind]();
  return arrived ? now : null;
}

/** Changes an order and returns it. Throws Refusal. */
export async function changeOrder(id, change) {
  return (await ask(path(id), { method: "PATCH", body: change })).order;
}

/** Marks an item of the menu as sold out, or as available again. Throws Refusal. */
export async function sellOut(id, soldOut) {
  const body = { sold_out: soldOut };
  await ask(`v1/menu/items/${encodeURIComponent(id)}`, { method: "PATCH", body });
}

/** Creates the order of a guest and returns it; once, however often it is sent with one key. */
export async function createOrder(draft, key) {
  return (await ask("v1/orders", { method: "POST", body: draft, key })).order;
}

/** Takes over a guest's session, or hands it back. Returns the changed session. Throws Refusal. */
export async function holdSession({ session, version }, held) {
  const address = `v1/sessions/${encodeURIComponent(session)}/${held ? "take-over" : "resume"}`;
  return (await ask(address, { method: "POST", body: { version } })).session;
}

/** Loads the sessions in which guests may be speaking now. */
export async function loadSessions() {
  const { sessions } = await ask("v1/sessions?limit=20");
  return sessions.filter(({ ended_at }) => ended_at === null);
}

/** Loads the calls for staff that have not been answered. */
export async function loadCalls() {
  return (await ask("v1/calls")).calls;
}

/** Answers a call: `take`, `release` or `resolve`. Returns the changed call. Throws Refusal. */
export async function answerCall({ id, version }, step) {
  const body = step === "resolve" ? {} : { version };
  return (await ask(`v1/calls/${encodeURIComponent(id)}/${step}`, { method: "POST", body })).call;
}

function path(id) {
  return `v1/orders/${encodeURIComponent(id)}`;
}
