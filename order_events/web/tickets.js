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
/** What a board can show: everything that is in the kitchen or on its way, or one stage. */
export const TABS = ["all", ...ACTIVE];
/** Minutes after which a ticket of a stage is due, and late; null: from the menu's times. */
export const LIMITS = { pending: [5, 10], confirmed: [3, 6], preparing: [null, null], ready: [3, 6] };
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
    whole: made(order).every(({ status }) => status === "done"),
    done: made(order).filter(({ status }) => status === "done").length,
    parts: made(order).length,
    steps: STEPS[order.status],
    undoing,
  };
}

/** The lines that somebody makes: of a combo its parts, not its name. */
function made({ items }) {
  const combos = new Set(items.map(({ part_of }) => part_of));
  return items.filter(({ id }) => !combos.has(id));
}

/** Whether a ticket is shown under a tab. While its last step can be undone it stays where it was. */
export function isUnder({ order, stage, undoing }, tab) {
  if (stage === null) return false;
  if (tab !== "all") return stage === tab || (undoing && before(order) === tab);
  return stage !== "picked-up" || undoing;
}

function before({ status, status_times }) {
  return ACTIVE.findLast((stage) => stage !== status && stage in status_times);
}

/** Orders tickets by what to make first: those in a rush, then those that wait for the longest. */
export function byAge(one, other) {
  const rush = Number(other.order.rush ?? false) - Number(one.order.rush ?? false);
  return rush || since(one.order).localeCompare(since(other.order));
}

/** When the kitchen's clock of an order began. */
function since({ created_at, status_times }) {
  return status_times.confirmed ?? created_at;
}

/**
 * The lines of a ticket in parts of at most `room` rows; the first part has `taken` rows less.
 * The parts of a combo may be torn from it, a line never.
 */
export function split(lines, room, taken = 0) {
  const parts = [[]];
  let left = room - taken;
  for (const line of lines) {
    const rows = rowsOf(line);
    if (rows > left && parts.at(-1).length > 0) {
      parts.push([]);
      left = room;
    }
    parts.at(-1).push(line);
    left -= rows;
  }
  return parts;
}

function rowsOf({ item, before: was }) {
  return 1 + Math.ceil((item.modifiers?.length ?? 0) / 2) + (item.special_instructions ? 1 : 0) + (was ? 1 : 0);
}

/** How many of each thing are still to be made, the most first: `{name, size, count}`. */
export function allDay(tickets) {
  const counts = new Map();
  const open = tickets.filter(({ order }) => ["confirmed", "preparing"].includes(order.status));
  for (const { order, lines } of open) {
    const combos = new Set(order.items.map(({ part_of }) => part_of));
    for (const { item, mark } of lines) {
      if (item.status === "done" || mark === "voided" || combos.has(item.id)) continue;
      const key = `${item.name}/${item.size ?? ""}`;
      const known = counts.get(key) ?? { name: item.name, size: item.size ?? null, count: 0 };
      counts.set(key, { ...known, count: known.count + item.quantity });
    }
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || a.name.localeCompare(b.name));
}

/** How long a ticket has waited in ms, and whether that is `fine`, `due` or `late`. A ready order
 *  waits for the guest: its clock begins anew. */
export function ageOf(order, now, limits = LIMITS) {
  const cooking = ["pending", "confirmed", "preparing"].includes(order.status);
  const began = cooking ? since(order) : order.status_times[order.status];
  const ms = now - Date.parse(began ?? order.updated_at);
  const usual = Math.max(order.prep_time, 1);
  const [due, late] = limits[order.status] ?? [Infinity, Infinity];
  if (ms > (late ?? 2 * usual) * MINUTE) return { ms, late: "late" };
  return { ms, late: ms > (due ?? usual) * MINUTE ? "due" : "fine" };
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
