/** The parts of the kiosk that change: lines with − and +, answers, the menu, languages, trouble, checks. */

import { money } from "./dom.js";
import { codeOf } from "./kiosk-languages.js";
import { html, nothing } from "./lit-html.js";
import { detailsView, headView } from "./order-view.js";
import { LANGUAGES, texts } from "./texts.js";

/** More answers than these are found faster on the menu. */
const MOST_CHOICES = 12;

/** The lines of an order. `change(item, quantity)` is called by − and +; null: they cannot be changed. */
export function linesView(order, change) {
  const steps = (item) => html`<div class="steps">
    <button
      type="button"
      class="step"
      aria-label=${item.quantity > 1 ? texts.editor.less(item.name) : texts.editor.remove(item.name)}
      @click=${() => change(item, item.quantity - 1)}
    >−</button>
    <button type="button" class="step" aria-label=${texts.editor.more(item.name)} @click=${() => change(item, item.quantity + 1)}>
      +
    </button>
  </div>`;
  return html`<ul class="items">
    ${order.items.map(
      (item) => html`<li class=${item.part_of ? "item part" : "item"}>
        <div class="item-text">${headView(item, order.currency)}${detailsView(item)}</div>
        ${change === null || item.part_of ? nothing : steps(item)}
      </li>`,
    )}
  </ul>`;
}

/** The answers to a question. `choose(text)` is called with the one that is tapped. */
export function choicesView(choices, choose) {
  if (choices.length > MOST_CHOICES) return nothing;
  return choices.map(
    (text) => html`<button type="button" class="button choice" @click=${() => choose(text)}>${text}</button>`,
  );
}

/** The menu, as `shelves` in `kiosk-menu.js` returns it. `order(name)` is called by a tap on an item. */
export function menuView(shelves, currency, order) {
  const price = ({ size, amount }) => html`<span class="menu-price">${size ? html`<i>${size}</i> ` : nothing}${money(amount, currency)}</span>`;
  return shelves.map(
    (shelf) => html`<section class="shelf" aria-label=${shelf.name}>
      <h3>${shelf.name}</h3>
      <ul>
        ${shelf.items.map(
          (item) => html`<li>
            <button
              type="button"
              class="dish"
              aria-disabled=${String(item.soldOut)}
              @click=${() => item.soldOut || order(item.name)}
            >
              <span class="dish-name">${item.name}</span>
              ${item.soldOut
                ? html`<span class="sold-out">${texts.editor.soldOut}</span>`
                : html`<span class="menu-prices">${item.prices.map(price)}</span>`}
            </button>
          </li>`,
        )}
      </ul>
    </section>`,
  );
}

/** A button for each language; `tag` is the one in use. One language alone needs no switch. */
export function languagesView(tags, tag, choose) {
  if (tags.length < 2) return nothing;
  return tags.map(
    (one) => html`<button
      type="button"
      class="button language"
      lang=${codeOf(one)}
      aria-pressed=${String(one === tag)}
      @click=${() => choose(one)}
    >${LANGUAGES[codeOf(one)]}</button>`,
  );
}

/** A page of its own for what keeps the kiosk from working: `kind` is a key of `texts.kiosk.trouble`. */
export function troubleView(kind, again) {
  const { title, guest, staff } = texts.kiosk.trouble[kind];
  return html`
    <svg viewBox="0 0 48 48" aria-hidden="true"><path d="M24 5 45 42H3Z"/><path d="M24 18v11M24 35v1"/></svg>
    <h1>${title}</h1>
    <p class="for-guests">${guest}</p>
    <p class="for-staff"><strong>${texts.kiosk.forStaff}</strong> ${staff}</p>
    <button type="button" class="button primary large" @click=${again}>${texts.kiosk.again}</button>
  `;
}

/**
 * What was found at setup: `checks` are `{name, state: "waiting" | "good" | "bad", text}`. `actions`:
 * `test()` listens to the microphone, `start()` opens the kiosk, `signOut()` forgets this device.
 */
export function setupView(checks, actions) {
  const bad = checks.some(({ state, name }) => state === "bad" && name !== "languages");
  return html`
    <img src="icon.svg" alt="" width="56" height="56">
    <h1 tabindex="-1">${texts.kiosk.setup.checks}</h1>
    <ul class="checks">
      ${checks.map(
        ({ name, state, text }) => html`<li class="check" data-state=${state}>
          <span class="mark" aria-hidden="true">${{ good: "✓", bad: "!", waiting: "…" }[state]}</span>
          <span><strong>${texts.kiosk.setup[name]}</strong> ${text}</span>
        </li>`,
      )}
    </ul>
    <div class="meter on" aria-hidden="true">
      <span></span>
    </div>
    <button type="button" class="button" @click=${actions.test}>${texts.kiosk.setup.test}</button>
    <button type="button" class="button primary large" ?disabled=${bad} @click=${actions.start}>${texts.kiosk.setup.open}</button>
    <button type="button" class="button quiet" @click=${actions.signOut}>${texts.signIn.out}</button>
  `;
}
