import assert from "node:assert/strict";
import { test } from "node:test";

import { Editing } from "../../../order_events/web/editing.js";
import { MenuIndex, added, counted, filled, lacking, linesOf, modified } from "../../../order_events/web/order-draft.js";

const plain = { prices: {}, default_size: null, slots: [] };
const MENU = {
  sizes: [{ id: "l", name: "Large" }],
  modifier_groups: [],
  categories: [],
  items: [
    { id: "burger", name: "Burger", category: "food", ...plain, price: 500 },
    { id: "tea", name: "Tea", category: "drinks", ...plain, price: null, prices: { s: 100, l: 200 } },
    {
      id: "meal", name: "Meal", category: "food", ...plain, price: 900,
      slots: [
        { id: "main", name: "Main", choices: [{ item: "burger" }], default: "burger" },
        { id: "drink", name: "Drink", choices: [{ category: "drinks" }], default: null },
      ],
    },
  ],
};
const index = new MenuIndex(MENU);
const [burger, tea, meal] = MENU.items;

function order(fields = {}) {
  const item = { id: "1", menu_item_id: "burger", quantity: 1, size: null, modifiers: [] };
  return {
    id: "o", version: 1, status: "pending", customer_name: null,
    items: [{ ...item, special_instructions: null, confidence: null, part_of: null, slot: null }],
    ...fields,
  };
}

test("a line says what it lacks before it can be made", () => {
  const lines = added(added([], tea), meal);
  assert.deepEqual(lacking(lines[0], lines, index), { size: true });
  assert.equal(lacking(lines[1], lines, index).slot.id, "drink");
  const whole = filled(lines, lines[1], meal.slots[1], tea);
  assert.equal(lacking(whole[1], whole, index), null);
  // The parts of a combo follow it, and come and go with it.
  assert.deepEqual(whole.map(({ menu_item_id }) => menu_item_id), ["tea", "meal", "burger", "tea"]);
  assert.deepEqual(counted(whole, whole[1].id, 3).map(({ quantity }) => quantity), [1, 3, 3, 3]);
  assert.deepEqual(counted(whole, whole[1].id, 0).map(({ menu_item_id }) => menu_item_id), ["tea"]);
});

test("new lines have ids of their own, and a modifier replaces itself", () => {
  const lines = added(added(added([], burger), burger), burger);
  assert.equal(new Set(lines.map(({ id }) => id)).size, 3);
  const onions = { group: "toppings", modifier: "onions" };
  let one = modified(lines, lines[0].id, onions, { qualifier: "extra" });
  one = modified(one, lines[0].id, onions, { negated: true });
  assert.deepEqual(one[0].modifiers.map(({ id, negated, qualifier }) => [id, negated, qualifier]), [["onions", true, null]]);
  assert.deepEqual(modified(one, lines[0].id, onions, null)[0].modifiers, []);
});

/** The editing of an order at a server that stores what it is sent. */
function editing(now, api = {}) {
  const server = { order: now, changes: [] };
  const stored = {
    change: async (id, change) => {
      server.changes.push(change);
      if (change.version !== server.order.version) throw Object.assign(new Error("stale"), { code: "STALE_VERSION" });
      server.order = { ...server.order, ...change, version: change.version + 1 };
      return server.order;
    },
    create: async (draft) => (server.order = order({ ...draft, id: "new" })),
    load: async () => server.order,
    ...api,
  };
  const one = new Editing(now, { source: {} }, stored, { changed: () => undefined, saved: () => undefined });
  return { one, server };
}

test("changes made while one is being saved are saved after it, together", async () => {
  const { one, server } = editing(order());
  one.setLines(counted(one.lines, "1", 2));
  one.setLines(counted(one.lines, "1", 3));
  one.setLines(counted(one.lines, "1", 4));
  await one.save();
  assert.deepEqual(server.changes.map(({ items, version }) => [items[0].quantity, version]), [[2, 1], [4, 2]]);
  assert.equal(one.unsaved, false);
});

test("whoever comes second sees what the first has done", async () => {
  const { one, server } = editing(order());
  server.order = order({ version: 7, customer_name: "Bo" });
  one.setLines([]);
  await one.save();
  assert.deepEqual([one.name, one.lines.length, one.problem.code], ["Bo", 1, "STALE_VERSION"]);
  one.setLines(counted(one.lines, "1", 2));
  await one.save();
  assert.deepEqual([server.order.version, one.problem], [8, null]);
});

test("the order of a guest who had none is made with its first line, once", async () => {
  const keys = [];
  let tries = 0;
  const { one } = editing(null, {
    create: async (draft, key) => {
      keys.push(key);
      tries += 1;
      if (tries === 1) throw new TypeError("no answer");
      return order({ items: draft.items });
    },
  });
  one.setLines(added([], burger));
  await new Promise(setImmediate);
  assert.deepEqual([one.unsaved, one.saving], [true, false]);
  await one.save();
  assert.deepEqual([keys.length, keys[0] === keys[1], one.unsaved], [2, true, false]);
  assert.deepEqual(linesOf(one.order), one.lines);
});
