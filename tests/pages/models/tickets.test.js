import assert from "node:assert/strict";
import { test } from "node:test";

import { OrderBook } from "../../../order_events/web/orders.js";
import { chips } from "../../../order_events/web/reasons.js";
import { ageOf, linesOf, matches, soundOf, ticketOf } from "../../../order_events/web/tickets.js";

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

test("the clock runs from when the order came in, and stops when it is ready", () => {
  const later = (minutes) => Date.parse(AT) + minutes * 60_000;
  assert.deepEqual([3, 5, 9].map((n) => ageOf(order(), later(n)).late), ["fine", "due", "late"]);
  const ready = order({ status: "ready", status_times: { ready: "2026-07-01T12:08:00.000Z" } });
  assert.deepEqual(ageOf(ready, later(20)), { ms: 12 * 60_000, late: "fine" });
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
