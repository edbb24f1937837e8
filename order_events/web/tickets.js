/** What a ticket of the kitchen shows, worked out from its order. Knows no page and no clock. */

import { attentionOf, chips } from "./reasons.js";

/** Statuses of orders still in progress, in the order in which they occur. */
export const ACTIVE = ["pending", "confirmed", "preparing", "ready", "picked-up"];
export const FINISHED = ["completed", "cancelled"];

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
/** Statuses in which the kitchen's clock runs. A ready order waits for the guest, not the kitchen. */
const COOKING = ["pending", "confirmed", "preparing"];
const IN_KITCHEN = ["confirmed", "preparing", "ready"];
const MINUTE = 60_000;

/** The last status that an order had before it was finished. */
export function lastStage(order) {
  return ACTIVE.findLast((status) => status in order.status_times) ?? "pending";
}

/** The lines to show, each with what happened to it (`mark`) and, if it changed, what it was before. */
export function linesOf(order) {
  const changes = new Map(order.changes.map((change) => [change.item_id, change]));
  const there = order.items.map((item) => {
    const change = changes.get(item.id);
    return { item, mark: change?.change ?? null, before: change?.before ?? null };
  });
  if (order.status === "cancelled") {
    return there.map((line) => ({ ...line, mark: "voided", before: null }));
  }
  const voided = order.changes
    .filter(({ change }) => change === "voided")
    .map(({ before }) => ({ item: before, mark: "voided", before: null }));
  return [...there, ...voided];
}

/**
 * The ticket of an order. `undoing`: its last step can still be undone from this screen.
 * - `stage`: the column it stands in, or null if it is not on the board
 * - `blocked`: it must not be confirmed without thinking: a person is needed or a choice lacks
 * - `gone`: it is cancelled and stays until somebody has seen that
 */
export function ticketOf(order, undoing = false) {
  const finished = FINISHED.includes(order.status);
  const gone = order.status === "cancelled" && order.changes.length > 0;
  return {
    order,
    chips: chips(attentionOf(order)),
    stage: !finished ? order.status : gone || undoing ? lastStage(order) : null,
    blocked: order.status === "pending" && order.attention.length > 0,
    gone,
    lines: linesOf(order),
    changed: !gone && order.changes.length > 0,
    bumps: IN_KITCHEN.includes(order.status),
    whole: order.items.every(({ status }) => status === "done"),
    steps: STEPS[order.status],
  };
}

/** How long a ticket has waited in ms, and whether that is `fine`, `due` or `late`. */
export function ageOf(order, now) {
  const cooking = COOKING.includes(order.status);
  const since = cooking ? order.created_at : order.status_times[order.status];
  const ms = now - Date.parse(since ?? order.updated_at);
  const allowed = Math.max(order.prep_time, 1) * MINUTE;
  const late = cooking && ms > allowed ? (ms > 2 * allowed ? "late" : "due") : "fine";
  return { ms, late };
}

/** What a screen should hear when an order changes from `before` (undefined: it is new) to `after`. */
export function soundOf(before, after) {
  const was = before?.status;
  if (after.status === "cancelled" && was !== "cancelled") {
    return after.changes.length > 0 ? "cancelled" : null;
  }
  if (after.status === "confirmed" && (was === undefined || was === "pending")) return "new";
  if (after.status === "ready" && was === "preparing") return "ready";
  const known = new Set((before?.changes ?? []).map(({ item_id, at }) => `${item_id}/${at}`));
  const news = after.changes.some(({ item_id, at }) => !known.has(`${item_id}/${at}`));
  return news && IN_KITCHEN.includes(after.status) ? "changed" : null;
}

/** Whether an order is the one that somebody looks for: by its number, name, table or lane. */
export function matches(order, sought) {
  const wanted = sought.trim().toLowerCase();
  const said = [
    order.order_number,
    order.customer_name,
    order.table_number,
    order.source?.lane,
    ...order.items.map(({ name }) => name),
  ];
  return said.some((text) => text?.toLowerCase().includes(wanted));
}
