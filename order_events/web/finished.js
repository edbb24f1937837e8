/** The finished orders of a restaurant: found by number or name, and brought back. */

import { clock, money } from "./dom.js";
import { html, nothing } from "./lit-html.js";
import { place, shortNumber } from "./order-view.js";
import { matches } from "./tickets.js";
import { texts } from "./texts.js";

/** Most orders that are listed at once; the search finds the others. */
const SHOWN = 30;

export class FinishedOrders {
  #recall;
  #changed;
  #orders = [];
  #sought = "";

  /** Calls `recall(order)` when somebody wants an order back on the board, and `changed()` when the
   *  view is to be drawn again. */
  constructor(recall, changed) {
    this.#recall = recall;
    this.#changed = changed;
  }

  /** How many there are. */
  get count() {
    return this.#orders.length;
  }

  /** Takes the finished orders, the latest first. */
  take(orders) {
    this.#orders = orders;
  }

  view() {
    const found = this.#orders.filter((order) => matches(order, this.#sought)).slice(0, SHOWN);
    const seek = (event) => {
      this.#sought = event.target.value;
      this.#changed();
    };
    return html`<div class="finished">
      <input
        type="search"
        class="find"
        aria-label=${texts.kitchen.find}
        placeholder=${texts.kitchen.find}
        .value=${this.#sought}
        @input=${seek}
      >
      ${found.length === 0 ? html`<p>${texts.kitchen.none}</p>` : nothing}
      <ol id="finished-list">${found.map((order) => this.#rowView(order))}</ol>
    </div>`;
  }

  #rowView(order) {
    const label = texts.kitchen.order(texts.kitchen.recall, shortNumber(order));
    return html`<li data-status=${order.status} data-finished=${order.id}>
      <span class="number">#${shortNumber(order)}</span>
      <span>${order.customer_name ?? place(order)}</span>
      <span class="order-status" data-status=${order.status}>${texts.status[order.status]}</span>
      <span class="muted">${clock(order.updated_at)}</span>
      <span class="muted">${money(order.total, order.currency)}</span>
      <button type="button" class="button small" aria-label=${label} @click=${() => this.#recall(order)}>
        ${texts.kitchen.recall}
      </button>
    </li>`;
  }
}
