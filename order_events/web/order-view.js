/** Shows an order in the same way on every screen: names, lines, modifiers, money. */

import { money, words } from "./dom.js";
import { html, nothing } from "./lit-html.js";
import { texts } from "./texts.js";

/** The short number that staff call out: "0007" for "20261122-0007". */
export function shortNumber(order) {
  return order.order_number.split("-").at(-1);
}

/** Where an order or a call belongs: its table, its lane, or otherwise its type. */
export function place({ table_number, table_id, lane, source, type }) {
  if (table_number) return texts.table(table_number);
  const where = source?.lane ?? lane;
  if (where) return words(where);
  if (table_id) return texts.table(table_id);
  return type ? words(type) : texts.guest;
}

/** A modifier as the kitchen reads it: "No Onions", "Extra Pickles", "2 × Bacon". */
export function modifierText(modifier) {
  if (modifier.negated) return texts.modifier.no(modifier.name);
  const name = texts.modifier[modifier.qualifier]?.(modifier.name) ?? modifier.name;
  return modifier.quantity > 1 ? `${modifier.quantity} × ${name}` : name;
}

/** A line in one string: "2× Cheeseburger Large, No Onions". */
export function lineText(item) {
  const name = [item.name, item.size && words(item.size)].filter(Boolean).join(" ");
  return [`${item.quantity}× ${name}`, ...item.modifiers.map(modifierText)].join(", ");
}

/** Quantity, name and size of a line, with its price if a currency is given. */
export function headView(item, currency = null) {
  return html`<div class="item-head">
    <span class="quantity">${item.quantity}×</span>
    <span class="item-name">${item.name}${item.size ? html` <span class="size">${words(item.size)}</span>` : nothing}</span>
    ${currency ? html`<span class="price">${money(item.subtotal, currency)}</span>` : nothing}
  </div>`;
}

/** The modifiers and instructions of a line. */
export function detailsView(item) {
  const modifiers = item.modifiers.map(
    (one) => html`<li class="modifier ${one.negated ? "without" : "with"}">${modifierText(one)}</li>`,
  );
  return html`
    ${modifiers.length > 0 ? html`<ul class="modifiers">${modifiers}</ul>` : nothing}
    ${item.special_instructions ? html`<p class="instructions">${item.special_instructions}</p>` : nothing}
  `;
}

/** The lines of an order, with prices if a currency is given. */
export function itemsView(order, currency = null) {
  return html`<ul class="items">
    ${order.items.map(
      (item) => html`<li class=${item.part_of ? "item part" : "item"}>
        ${headView(item, currency)}${detailsView(item)}
      </li>`,
    )}
  </ul>`;
}

/** Subtotal, tax and total. */
export function totalsView(order) {
  const row = (name, amount, kind) => html`<div class="total ${kind}">
    <dt>${name}</dt>
    <dd>${money(amount, order.currency)}</dd>
  </div>`;
  return html`<dl class="totals">
    ${row(texts.totals.subtotal, order.subtotal, "minor")}
    ${row(texts.totals.tax, order.tax, "minor")}
    ${row(texts.totals.total, order.total, "grand")}
  </dl>`;
}

/** Chips of reasons, as `chips` in `reasons.js` returns them. */
export function chipsView(list) {
  if (list.length === 0) return nothing;
  return html`<ul class="reasons" aria-label=${texts.guests.reasons}>
    ${list.map(
      ({ code, text, kind }) => html`<li class="reason" data-kind=${kind}>
        <strong>${texts.reason[code] ?? words(code)}</strong>${text ? ` ${text}` : nothing}
      </li>`,
    )}
  </ul>`;
}

/** The read-back without the question at its end, because the question is shown separately. */
export function withoutQuestion(readback, question) {
  return question ? readback.replace(question, "").trim() : readback;
}
