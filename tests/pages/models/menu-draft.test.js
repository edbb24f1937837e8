import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cents, changed, difference, nameable, namesIn, priced, removed, withAlias, withCategory, withDayPart, withItem,
  written,
} from "../../../order_events/web/menu-draft.js";

const MENU = {
  sizes: [{ id: "large", name: "Large", aliases: [] }],
  categories: [{ id: "drinks", name: "Drinks", aliases: [] }],
  modifier_groups: [{ id: "ice", name: "Ice", modifiers: [{ id: "ice", name: "Ice", aliases: [] }] }],
  items: [{ id: "cola", name: "Cola", category: "drinks", aliases: [], price: 199, prices: {} }],
  day_parts: [],
};

test("amounts are read as owners type them, and refused if they are none", () => {
  assert.deepEqual(["4.49", "4,5", " 12 ", "0.05"].map(cents), [449, 450, 1200, 5]);
  assert.deepEqual(["", "four", "-1", "1.234", "1e3"].map(cents), [null, null, null, null, null]);
  assert.deepEqual([449, 5, null].map(written), ["4.49", "0.05", ""]);
});

test("new things get ids of their own, whatever they are called", () => {
  const twice = withItem(withItem(MENU, "drinks", "Café Olé!"), "drinks", "café olé");
  assert.deepEqual(twice.items.map(({ id }) => id), ["cola", "cafe_ole", "cafe_ole_2"]);
  assert.equal(withCategory(MENU, "茶").categories[1].id, "new");
});

test("what is removed is no longer served at any hour either", () => {
  const hours = withDayPart(MENU, "Breakfast");
  const part = changed(hours, "day_parts", "breakfast", { items: ["cola"], categories: ["drinks"] });
  assert.deepEqual(removed(part, "items", "cola").day_parts[0].items, []);
  assert.deepEqual(removed(part, "categories", "drinks").day_parts[0].categories, []);
});

test("a difference names what is new, gone and changed", () => {
  const after = priced(withItem(MENU, "drinks", "Tea"), MENU.items[0], null, 249);
  assert.deepEqual(difference(MENU, after), { added: ["Tea"], removed: [], changed: ["Cola"] });
  assert.deepEqual(difference(after, MENU).removed, ["Tea"]);
});

test("a phrase becomes another name of whatever it means", () => {
  const things = nameable(MENU);
  assert.deepEqual(things.map(({ name }) => name), ["Cola", "Large", "Drinks", "Ice"]);
  const [cola, , , ice] = things;
  assert.deepEqual(withAlias(withAlias(MENU, cola, "coke"), cola, "coke").items[0].aliases, ["coke"]);
  assert.deepEqual(withAlias(MENU, ice, "cubes").modifier_groups[0].modifiers[0].aliases, ["cubes"]);
  assert.deepEqual(namesIn(" coke, ,coke,pop "), ["coke", "pop"]);
});
