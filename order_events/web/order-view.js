/** Shows an order in the same way on every screen: names, lines, modifiers, money. */

import { el, money, words } from "./dom.js";

/** The short number that staff call out: "0007" for "20261122-0007". */
export function shortNumber(order) {
  return order.order_number.split("-").at(-1);
}

/** Where the order belongs: its table, its lane, or otherwise its type. */
export function place(order) {
  if (order.table_number) return `Table ${order.table_number}`;
  if (order.source?.lane) return words(order.source.lane);
  if (order.table_id) return `Table ${order.table_id}`;
  return words(order.type);
}

const QUALIFIED = {
  light: (name) => `Light ${name}`,
  extra: (name) => `Extra ${name}`,
  half: (name) => `Half ${name}`,
  on_the_side: (name) => `${name} on the side`,
};

/** A modifier as the kitchen reads it: "No Onions", "Extra Pickles", "2 × Bacon". */
export function modifierText(modifier) {
  if (modifier.negated) return `No ${modifier.name}`;
  const name = QUALIFIED[modifier.qualifier]?.(modifier.name) ?? modifier.name;
  return modifier.quantity > 1 ? `${modifier.quantity} × ${name}` : name;
}

function modifierView(modifier) {
  const kind = modifier.negated ? "without" : "with";
  return el("li", { class: `modifier ${kind}` }, modifierText(modifier));
}

function itemView(item, currency) {
  const head = el(
    "div",
    { class: "item-head" },
    el("span", { class: "quantity" }, `${item.quantity}×`),
    el(
      "span",
      { class: "item-name" },
      item.name,
      item.size ? [" ", el("span", { class: "size" }, words(item.size))] : null,
    ),
    currency ? el("span", { class: "price" }, money(item.subtotal, currency)) : null,
  );
  return el(
    "li",
    { class: item.part_of ? "item part" : "item" },
    head,
    item.modifiers.length > 0
      ? el("ul", { class: "modifiers" }, item.modifiers.map(modifierView))
      : null,
    item.special_instructions
      ? el("p", { class: "instructions" }, item.special_instructions)
      : null,
  );
}

/** The lines of an order, with prices if a currency is given. */
export function itemsView(order, currency = null) {
  return el(
    "ul",
    { class: "items" },
    order.items.map((item) => itemView(item, currency)),
  );
}

/** Subtotal, tax and total. */
export function totalsView(order) {
  const row = (name, amount, kind) =>
    el(
      "div",
      { class: `total ${kind}` },
      el("dt", {}, name),
      el("dd", {}, money(amount, order.currency)),
    );
  return el(
    "dl",
    { class: "totals" },
    row("Subtotal", order.subtotal, "minor"),
    row("Tax", order.tax, "minor"),
    row("Total", order.total, "grand"),
  );
}

/** The read-back without the question at its end, because the question is shown separately. */
export function withoutQuestion(readback, question) {
  return question ? readback.replace(question, "").trim() : readback;
}
