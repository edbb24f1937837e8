/** A menu while its owner changes it. Everything here is a function of values. */

/** Where an owner without a menu begins. */
export const BLANK = {
  name: "",
  currency: "USD",
  tax_rate: "0",
  time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  language: "en",
  sizes: [],
  categories: [],
  modifier_groups: [],
  items: [],
  day_parts: [],
};

/** An amount as it is written on the board ("4.49"), from cents. */
export function written(cents) {
  return cents === null || cents === undefined ? "" : (cents / 100).toFixed(2);
}

/** Cents, from an amount as an owner types it ("4.49", "4,5"); null if it is none. */
export function cents(text) {
  const found = /^\s*(\d{1,6})(?:[.,](\d{1,2}))?\s*$/.exec(text);
  return found === null ? null : Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0"));
}

/** The sizes that an item comes in, as entries of the menu. */
export function sizesOf(menu, item) {
  return menu.sizes.filter(({ id }) => id in (item.prices ?? {}));
}

/** Changes fields of the thing with an id in one of the menu's lists. */
export function changed(menu, list, id, fields) {
  return { ...menu, [list]: menu[list].map((one) => (one.id === id ? { ...one, ...fields } : one)) };
}

/** Removes a thing from one of the menu's lists; day parts no longer name it. */
export function removed(menu, list, id) {
  const without = { ...menu, [list]: menu[list].filter((one) => one.id !== id) };
  if (!["items", "categories"].includes(list)) return without;
  const day_parts = menu.day_parts.map((part) => ({ ...part, [list]: part[list].filter((one) => one !== id) }));
  return { ...without, day_parts };
}

/** Sets the price of an item, or of one of its sizes. */
export function priced(menu, { id, prices }, size, amount) {
  const fields = size === null ? { price: amount } : { prices: { ...prices, [size]: amount } };
  return changed(menu, "items", id, fields);
}

/** Adds an item to a category. */
export function withItem(menu, category, name) {
  const item = {
    id: freeId(menu.items, name), name, category, aliases: [], price: 0, prices: {}, modifier_groups: [],
    defaults: [], slots: [], prep_minutes: 0, sold_out: false,
  };
  return { ...menu, items: [...menu.items, item] };
}

/** Adds a category. */
export function withCategory(menu, name) {
  return { ...menu, categories: [...menu.categories, { id: freeId(menu.categories, name), name, aliases: [] }] };
}

/** Adds hours in which some things are served. */
export function withDayPart(menu, name) {
  const part = {
    id: freeId(menu.day_parts, name), name, days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    start: "06:00", end: "11:00", items: [], categories: [],
  };
  return { ...menu, day_parts: [...menu.day_parts, part] };
}

/** Names as an owner types them, separated by commas. */
export function namesIn(text) {
  return [...new Set(text.split(",").map((name) => name.trim()).filter(Boolean))];
}

/** What differs between two menus, by names of items: `{added, removed, changed}`. */
export function difference(before, after) {
  const old = new Map(before.items.map((item) => [item.id, item]));
  const now = new Map(after.items.map((item) => [item.id, item]));
  const differs = (item) => old.has(item.id) && JSON.stringify(old.get(item.id)) !== JSON.stringify(item);
  return {
    added: after.items.filter(({ id }) => !old.has(id)).map(({ name }) => name),
    removed: before.items.filter(({ id }) => !now.has(id)).map(({ name }) => name),
    changed: after.items.filter(differs).map(({ name }) => name),
  };
}

/** Everything on a menu that may have aliases, each `{list, id, group, name}`. */
export function nameable(menu) {
  const things = ["items", "sizes", "categories"].flatMap((list) =>
    menu[list].map(({ id, name }) => ({ list, id, group: null, name })),
  );
  const modifiers = menu.modifier_groups.flatMap((group) =>
    group.modifiers.map(({ id, name }) => ({ list: "modifiers", id, group: group.id, name })),
  );
  return [...things, ...modifiers];
}

/** Gives a thing one more name that guests have for it. */
export function withAlias(menu, { list, id, group }, alias) {
  const add = (one) => (one.id === id ? { ...one, aliases: [...new Set([...one.aliases, alias])] } : one);
  if (list !== "modifiers") return { ...menu, [list]: menu[list].map(add) };
  const modifier_groups = menu.modifier_groups.map((one) =>
    one.id === group ? { ...one, modifiers: one.modifiers.map(add) } : one,
  );
  return { ...menu, modifier_groups };
}

function freeId(things, name) {
  const plain = name.normalize("NFD").toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "") || "new";
  const taken = new Set(things.map(({ id }) => id));
  let id = plain;
  for (let n = 2; taken.has(id); n += 1) id = `${plain}_${n}`;
  return id;
}
