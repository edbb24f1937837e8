/** The finished orders of a restaurant: found by number or name, and brought back. */

import { clock, money } from "./dom.js";
import { html, nothing, render } from "./lit-html.js";
import { place, shortNumber } from "./order-view.js";
import { matches } from "./tickets.js";
import { texts } from "./texts.js";

/** Most orders that are listed at once; the search finds the others. */
const SHOWN = 30;

export class FinishedOrders {
  #root;
  #recall;
  #orders = [];
  #sought = "";

  /** Calls `recall(order)` when somebody wants an order back on the board. */
  constructor(root, recall) {
    this.#root = root;
    this.#recall = recall;
  }

  /** Shows finished orders, the latest first. */
  show(orders) {
    this.#orders = orders;
    this.#draw();
  }

  #draw() {
    const found = this.#orders.filter((order) => matches(order, this.#sought)).slice(0, SHOWN);
    const seek = (event) => {
      this.#sought = event.target.value;
      this.#draw();
    };
    render(
      html`<details class="finished" ?hidden=${this.#orders.length === 0}>
        <summary>
          ${texts.kitchen.finished} <span id="finished-count" class="count">${this.#orders.length}</span>
        </summary>
        <input
          type="search"
          class="find"
          aria-label=${texts.kitchen.find}
          placeholder=${texts.kitchen.find}
          @input=${seek}
        >
        ${found.length === 0 ? html`<p>${texts.kitchen.none}</p>` : nothing}
        <ol id="finished-list">${found.map((order) => this.#rowView(order))}</ol>
      </details>`,
      this.#root,
    );
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
