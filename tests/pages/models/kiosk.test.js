/** What a kiosk offers its guests: the menu, the languages, and the session that it comes back to. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { first, offered } from "../../../order_events/web/kiosk-languages.js";
import { forget, remember, remembered } from "../../../order_events/web/kiosk-memory.js";
import { shelves } from "../../../order_events/web/kiosk-menu.js";

const WRITTEN = { en: "English", es: "Español" };
const MENU = {
  sizes: [{ id: "s", name: "Small", names: { es: ["Pequeño"] } }, { id: "l", name: "Large" }],
  categories: [{ id: "drinks", name: "Drinks", names: { es: ["Bebidas"] } }, { id: "none", name: "None" }],
  items: [
    { id: "tea", name: "Tea", category: "drinks", prices: { s: 150, l: 220 }, sold_out: true },
    { id: "water", name: "Water", names: { es: ["Agua", "Agüita"] }, category: "drinks", price: 100 },
  ],
};

test("a menu is shown by category, in the guest's language where it has names in it", () => {
  const [drinks, ...others] = shelves(MENU, "es");
  assert.deepEqual(others, []);
  assert.equal(drinks.name, "Bebidas");
  assert.deepEqual(drinks.items, [
    {
      id: "tea",
      name: "Tea",
      prices: [{ size: "Pequeño", amount: 150 }, { size: "Large", amount: 220 }],
      soldOut: true,
    },
    { id: "water", name: "Agua", prices: [{ size: "", amount: 100 }], soldOut: false },
  ]);
  assert.equal(shelves(MENU, "en")[0].items[1].name, "Water");
});

test("a language that the server lacks, or that has no words here, is never offered", () => {
  assert.deepEqual(offered(["en", "es"], "es-MX", WRITTEN), ["en", "es-MX"]);
  assert.deepEqual(offered(["en"], "es-MX", WRITTEN), ["en"]);
  assert.deepEqual(offered(["en", "fr"], "en-US", WRITTEN), ["en-US"]);
  assert.deepEqual(offered(null, "en-US", WRITTEN), ["en-US"]);
});

test("the next guest begins in the kiosk's own language, if it is offered", () => {
  assert.equal(first(["en", "es-MX"], "es-MX"), "es-MX");
  assert.equal(first(["en"], "es-MX"), "en");
});

test("a session is remembered for as long as the server may still have it", () => {
  const kept = new Map();
  globalThis.sessionStorage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  };
  assert.equal(remembered(), null);
  remember("s1", "es", 1_000);
  assert.equal(remembered(20_000).session, "s1");
  assert.equal(remembered(90_000), null);
  forget();
  assert.equal(remembered(2_000), null);
});
