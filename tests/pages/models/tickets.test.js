import assert from "node:assert/strict";
import { test } from "node:test";

import { OrderBook } from "../../../order_events/web/orders.js";
import { chips } from "../../../order_events/web/reasons.js";
import { stationTicket } from "../../../order_events/web/stations.js";
import {
  LIMITS, TABS, ageOf, allDay, byAge, isUnder, linesOf, matches, soundOf, split, ticketOf,
} from "../../../order_events/web/tickets.js";

const AT = "2026-07-01T12:00:00.000Z";

function order(fields = {}) {
  return {
    id: "o",
    order_number: "20260701-0042",
    status: "confirmed",
    items: [{ id: "1", name: "Cheeseburger", status: "open" }],
    attention: [],
    changes: [],
    status_times: { pending: AT, confirmed: AT },
    created_at: AT,
    updated_at: AT,
    prep_time: 4,
    ...fields,
  };
}

function change(kind, id, at = AT) {
  const item = { id, name: "Coffee" };
  return {
    item_id: id,
    change: kind,
    before: kind === "added" ? null : item,
    after: kind === "voided" ? null : item,
    at,
  };
}

test("what can harm comes first, each reason once, and words before a bare code", () => {
  const reasons = [
    { code: "off_topic", text: "rain" },
    { code: "missing_size", text: "Coke", question: "What size?" },
    { code: "order_limit", text: "", calls_staff: true },
    { code: "allergy", text: "nuts", question: "Nuts?" },
  ];
  const shown = chips(reasons, [{ code: "allergy" }, { code: "missing_size", text: "Coke" }]);
  assert.deepEqual(
    shown.map(({ code, text, kind }) => [code, text, kind]),
    [
      ["allergy", "nuts", "allergy"],
      ["order_limit", "", "staff"],
      ["missing_size", "Coke", "ask"],
      ["off_topic", "rain", "note"],
    ],
  );
});

test("voided lines stay on the ticket, and changed ones say what they were", () => {
  const changed = order({ changes: [change("changed", "1"), change("voided", "9")] });
  assert.deepEqual(
    linesOf(changed).map(({ item, mark }) => [item.id, mark]),
    [["1", "changed"], ["9", "voided"]],
  );
  const cancelled = order({ status: "cancelled", changes: [change("voided", "1")] });
  assert.deepEqual(linesOf(cancelled).map(({ mark }) => mark), ["voided"]);
});

test("a cancelled order stays where it was until it has been seen, a finished one while it can be undone", () => {
  const times = { pending: AT, confirmed: AT, preparing: AT, cancelled: AT };
  const cancelled = { status: "cancelled", status_times: times };
  const seen = ticketOf(order(cancelled));
  const unseen = ticketOf(order({ ...cancelled, changes: [change("voided", "1")] }));
  assert.deepEqual([seen.stage, unseen.stage, unseen.gone], [null, "preparing", true]);
  assert.equal(ticketOf(order({ status: "completed" }), true).stage, "confirmed");
});

test("an order from before an update of the server can be shown", () => {
  const { attention, changes, ...old } = order({ version: 1 });
  const book = new OrderBook();
  assert.ok(book.apply(old));
  assert.deepEqual(ticketOf(book.get("o")).lines.length, 1);
  assert.equal(book.apply({ ...old, version: 1 }), false);
});

test("only a pending order that needs something is blocked", () => {
  const attention = [{ code: "allergy", text: "nuts" }];
  assert.equal(ticketOf(order({ status: "pending", attention })).blocked, true);
  assert.equal(ticketOf(order({ attention })).blocked, false);
});

test("a ticket is due and late by the limits of its stage, a ready one too", () => {
  const later = (minutes) => Date.parse(AT) + minutes * 60_000;
  const preparing = order({ status: "preparing" });
  assert.deepEqual([3, 5, 9].map((n) => ageOf(preparing, later(n)).late), ["fine", "due", "late"]);
  assert.deepEqual([3, 5, 9].map((n) => ageOf(order(), later(n)).late), ["fine", "due", "late"]);
  const patient = { ...LIMITS, confirmed: [8, null] };
  assert.deepEqual([5, 9].map((n) => ageOf(order(), later(n), patient).late), ["fine", "late"]);
  const ready = order({ status: "ready", status_times: { ready: "2026-07-01T12:08:00.000Z" } });
  assert.deepEqual(ageOf(ready, later(20)), { ms: 12 * 60_000, late: "late" });
  assert.equal(ageOf(order({ status: "picked-up" }), later(99)).late, "fine");
});

test("tabs show a stage, or what the kitchen has to do with; a step stays where it was for a while", () => {
  const times = { pending: AT, confirmed: AT, preparing: AT };
  const ticket = ticketOf(order({ status: "preparing", status_times: times }));
  assert.deepEqual(TABS.filter((tab) => isUnder(ticket, tab)), ["all", "preparing"]);
  assert.ok(isUnder({ ...ticket, undoing: true }, "confirmed"));
  const gone = ticketOf(order({ status: "picked-up" }));
  assert.deepEqual(TABS.filter((tab) => isUnder(gone, tab)), ["picked-up"]);
});

test("a rush comes first, then what waits for the longest", () => {
  const early = ticketOf(order({ id: "early" }));
  const late = ticketOf(order({ id: "late", status_times: { confirmed: "2026-07-01T13:00:00.000Z" } }));
  const rush = ticketOf(order({ id: "rush", rush: true, status_times: late.order.status_times }));
  assert.deepEqual([late, rush, early].sort(byAge).map((t) => t.order.id), ["rush", "early", "late"]);
});

test("a long ticket is split between its lines", () => {
  const line = (id, modifiers = []) => ({ item: { id, modifiers }, mark: null, before: null });
  const lines = [line("1"), line("2", [1, 2, 3]), line("3"), line("4")];
  const ids = (parts) => parts.map((part) => part.map(({ item }) => item.id));
  assert.deepEqual(ids(split(lines, 9)), [["1", "2", "3", "4"]]);
  assert.deepEqual(ids(split(lines, 4)), [["1", "2"], ["3", "4"]]);
  assert.deepEqual(ids(split(lines, 4, 2)), [["1"], ["2", "3"], ["4"]]);
  assert.deepEqual(ids(split(lines, 0)), [["1"], ["2"], ["3"], ["4"]]);
});

const COMBO = [
  { id: "1", menu_item_id: "meal", name: "Meal", quantity: 1, status: "open" },
  { id: "1.m", menu_item_id: "burger", name: "Burger", quantity: 1, part_of: "1", status: "open" },
  { id: "1.d", menu_item_id: "cola", name: "Cola", size: "large", quantity: 1, part_of: "1", status: "done" },
  { id: "2", menu_item_id: "cola", name: "Cola", size: "large", quantity: 2, status: "open" },
];
const CATEGORIES = { meal: "meals", burger: "grill", cola: "drinks" };

test("what is to be made in all leaves out what is done, and the names of combos", () => {
  const tickets = [ticketOf(order({ items: COMBO })), ticketOf(order({ status: "ready", items: COMBO }))];
  assert.deepEqual(allDay(tickets).map(({ name, count }) => [name, count]), [["Cola", 2], ["Burger", 1]]);
  assert.deepEqual([tickets[0].done, tickets[0].parts], [1, 3]);
});

test("a station sees its own lines under their combo, until they are done", () => {
  const ticket = ticketOf(order({ items: COMBO }));
  const at = (station, of = ticket) => stationTicket(of, [station], (id) => CATEGORIES[id] ?? null);
  const grill = at("grill");
  assert.deepEqual(grill.lines.map(({ item }) => item.id), ["1", "1.m"]);
  assert.deepEqual([grill.open.map(({ id }) => id), grill.elsewhere, grill.stage], [["1.m"], 2, "confirmed"]);
  const done = COMBO.map((item) => ({ ...item, status: "done" }));
  assert.equal(at("drinks", ticketOf(order({ items: done }))).stage, null);
  assert.equal(at("sides").stage, null);
  assert.equal(at("grill", ticketOf(order({ status: "pending", items: COMBO }))).stage, null);
});

test("each change has its sound, and a repeated event has none", () => {
  const pending = order({ status: "pending" });
  assert.equal(soundOf(pending, order()), "new");
  assert.equal(soundOf(undefined, order()), "new");
  assert.equal(soundOf(undefined, pending), null);
  const changed = order({ changes: [change("added", "2")] });
  assert.equal(soundOf(order(), changed), "changed");
  assert.equal(soundOf(changed, { ...changed, version: 9 }), null);
  assert.equal(soundOf(order({ status: "preparing" }), order({ status: "ready" })), "ready");
  assert.equal(soundOf(changed, { ...changed, status: "cancelled" }), "cancelled");
  assert.equal(soundOf(pending, order({ status: "cancelled" })), null);
});

test("an order is found by its number, its name or what is in it", () => {
  const ada = order({ customer_name: "Ada", source: { lane: "lane-2" } });
  for (const sought of ["0042", " ada ", "cheese", "LANE-2", ""]) assert.ok(matches(ada, sought), sought);
  assert.ok(!matches(ada, "bob"));
});
