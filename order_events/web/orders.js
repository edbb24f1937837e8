/** The orders known to this page, and the status changes that are possible. */

import { ask } from "./session.js";

/** Statuses of orders still in progress, in the order in which they occur. */
export const ACTIVE = ["pending", "confirmed", "preparing", "ready", "picked-up"];
const FINISHED = ["completed", "cancelled"];
const FINISHED_KEPT = 30;
const PAGE = 200;
/** At most this many pages are read per status. Nobody could work with more open orders on a screen. */
const PAGES = 5;

/** The status changes that the server allows. The first one is the usual next step. */
export const STEPS = {
  pending: ["confirmed", "cancelled"],
  confirmed: ["preparing", "cancelled"],
  preparing: ["ready", "cancelled"],
  ready: ["picked-up", "completed", "cancelled"],
  "picked-up": ["completed"],
  completed: [],
  cancelled: [],
};

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
    this.#orders.set(order.id, order);
    for (const old of this.finished.slice(FINISHED_KEPT)) this.#orders.delete(old.id);
    return true;
  }

  clear() {
    this.#orders.clear();
  }
}

/** Loads every open order and the most recent finished ones. Throws as `ask` does. */
export async function loadOrders() {
  const open = await Promise.all(ACTIVE.map((status) => loadStatus(status, PAGE, PAGES)));
  const finished = await Promise.all(FINISHED.map((status) => loadStatus(status, 15, 1)));
  return [...open, ...finished].flat();
}

async function loadStatus(status, limit, pages) {
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

/** Sets an order's status and returns the changed order. Throws Refusal, also if somebody else
 *  changed the order first. */
export async function setStatus(order, status) {
  const path = `v1/orders/${encodeURIComponent(order.id)}/status`;
  const answer = await ask(path, { method: "POST", body: { status, version: order.version } });
  return answer.order;
}

/** Takes over a guest's session, or hands it back. Returns the changed session. Throws Refusal. */
export async function holdSession({ session, version }, held) {
  const path = `v1/sessions/${encodeURIComponent(session)}/${held ? "take-over" : "resume"}`;
  return (await ask(path, { method: "POST", body: { version } })).session;
}

/** Loads the sessions in which guests may be speaking now. */
export async function loadSessions() {
  const { sessions } = await ask("v1/sessions?limit=20");
  return sessions.filter(({ ended_at }) => ended_at === null);
}

/** Loads the current state of an order. */
export async function loadOrder(id) {
  return (await ask(`v1/orders/${encodeURIComponent(id)}`)).order;
}
