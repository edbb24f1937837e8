/** A restaurant's orders as this page knows them, and the steps that they can take. */

import { ask } from "./session.js";

/** What is still being worked on, in the order of its life. */
export const ACTIVE = ["pending", "confirmed", "preparing", "ready", "picked-up"];
const FINISHED = ["completed", "cancelled"];
const FINISHED_KEPT = 30;
const PAGE = 200;
/** Pages read of one status at most: a kitchen with more open orders than this reads no screen. */
const PAGES = 5;

/** The steps that the server allows: the first is the usual next one. */
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

  /** The finished ones, the latest first. */
  get finished() {
    return this.all
      .filter((order) => FINISHED.includes(order.status))
      .sort((a, b) => b.updated_at.localeCompare(a.updated_at));
  }

  /** Takes an order; false if it is no news. */
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

/** Every open order and the last finished ones, from the server. Throws as `ask` does. */
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

/** Takes an order one step on; the changed order. Throws Refusal, also when somebody was first. */
export async function setStatus(order, status) {
  const path = `v1/orders/${encodeURIComponent(order.id)}/status`;
  const answer = await ask(path, { method: "POST", body: { status, version: order.version } });
  return answer.order;
}

/** Takes a guest's session over, or hands it back; the session as it is then. Throws Refusal. */
export async function holdSession({ session, version }, held) {
  const path = `v1/sessions/${encodeURIComponent(session)}/${held ? "take-over" : "resume"}`;
  return (await ask(path, { method: "POST", body: { version } })).session;
}

/** The sessions in which guests may be speaking now. */
export async function loadSessions() {
  const { sessions } = await ask("v1/sessions?limit=20");
  return sessions.filter(({ ended_at }) => ended_at === null);
}

/** The order as the server has it now. */
export async function loadOrder(id) {
  return (await ask(`v1/orders/${encodeURIComponent(id)}`)).order;
}
