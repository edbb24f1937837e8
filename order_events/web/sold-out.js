/** What has run out: every item of the menu with a switch. */

import { html, nothing, render } from "./lit-html.js";
import { texts } from "./texts.js";

export class SoldOut {
  #dialog;
  #set;
  #menu = null;
  #sought = "";

  /** `set(item, soldOut)` sets it at the server and resolves to whether that is done. */
  constructor(dialog, set) {
    this.#dialog = dialog;
    this.#set = set;
  }

  /** Takes the menu as it is now. */
  take(menu) {
    this.#menu = menu;
    if (this.#dialog.open) this.#draw();
  }

  open() {
    this.#sought = "";
    this.#draw();
    this.#dialog.showModal();
  }

  #draw() {
    const { items, categories } = this.#menu ?? { items: [], categories: [] };
    const sought = this.#sought.trim().toLowerCase();
    const found = items.filter(({ name }) => name.toLowerCase().includes(sought));
    const seek = (event) => {
      this.#sought = event.target.value;
      this.#draw();
    };
    render(
      html`
        <header>
          <h2>${texts.soldOut.title}</h2>
          <button type="button" class="button primary" @click=${() => this.#dialog.close()}>${texts.settings.close}</button>
        </header>
        <input type="search" .value=${this.#sought} aria-label=${texts.soldOut.find} placeholder=${texts.soldOut.find} @input=${seek}>
        <div class="sold-out-list">
          ${items.length === 0 ? html`<p>${texts.reason.no_menu}</p>` : nothing}
          ${categories.map((category) => this.#categoryView(category, found.filter((item) => item.category === category.id)))}
        </div>
      `,
      this.#dialog,
    );
  }

  #categoryView({ name }, items) {
    if (items.length === 0) return nothing;
    return html`<section aria-label=${name}>
      <h3>${name}</h3>
      <ul>${items.map((item) => this.#itemView(item))}</ul>
    </section>`;
  }

  #itemView(item) {
    const out = item.sold_out ?? false;
    const press = () => this.#set(item, !out);
    return html`<li>
      <button type="button" class="switch" role="switch" aria-checked=${String(out)} @click=${press}>
        <span>${item.name}</span><span class="switch-state">${out ? texts.soldOut.out : texts.soldOut.in}</span>
      </button>
    </li>`;
  }
}
