/** Draws a menu as a table that can be changed, and the hours in which things are served. */

import { typed } from "./dom.js";
import { html, nothing } from "./lit-html.js";
import {
  cents, changed, namesIn, priced, removed, sizesOf, withCategory, withDayPart, withItem, written,
} from "./menu-draft.js";
import { texts } from "./texts.js";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** `take(menu)` gets the changed menu; `sellOut(item, out)` counts at once. */
export function tableView(menu, take, sellOut) {
  const words = texts.owner.menu;
  return html`
    ${menu.categories.map((category) => categoryView(menu, category, take, sellOut))}
    ${addForm(words.newCategory, words.addCategory, (name) => take(withCategory(menu, name)))}
  `;
}

function categoryView(menu, category, take, sellOut) {
  const words = texts.owner.menu;
  const items = menu.items.filter((item) => item.category === category.id);
  const rename = (event) => take(changed(menu, "categories", category.id, { name: event.target.value.trim() }));
  return html`<details class="category" open>
    <summary><strong>${category.name}</strong> <span class="count">${items.length}</span></summary>
    <div class="category-head">
      <label><span>${words.categoryName}</span><input .value=${category.name} @change=${rename}></label>
      ${items.length === 0
        ? html`<button type="button" class="button small" @click=${() => take(removed(menu, "categories", category.id))}>${words.remove}</button>`
        : nothing}
    </div>
    ${items.length > 0
      ? html`<div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">${words.item}</th>
                <th scope="col">${words.aliases}</th>
                <th scope="col">${words.price}</th>
                <th scope="col">${words.minutes}</th>
                <th scope="col">${words.soldOut}</th>
                <th scope="col"><span class="visually-hidden">${words.remove}</span></th>
              </tr>
            </thead>
            <tbody>${items.map((item) => itemView(menu, item, take, sellOut))}</tbody>
          </table>
        </div>`
      : nothing}
    ${addForm(words.newItem, words.addItem, (name) => take(withItem(menu, category.id, name)))}
  </details>`;
}

function itemView(menu, item, take, sellOut) {
  const words = texts.owner.menu;
  const set = (fields) => take(changed(menu, "items", item.id, fields));
  return html`<tr data-item=${item.id}>
    <td><input aria-label=${words.nameOf(item.name)} .value=${item.name} @change=${(event) => set({ name: event.target.value.trim() })}></td>
    <td><input aria-label=${words.aliasesOf(item.name)} .value=${item.aliases.join(", ")} @change=${(event) => set({ aliases: namesIn(event.target.value) })}></td>
    <td><div class="prices">${pricesView(menu, item, take)}</div></td>
    <td>
      <input class="short" type="number" min="0" max="1440" aria-label=${words.minutesOf(item.name)} .value=${String(item.prep_minutes)}
        @change=${(event) => set({ prep_minutes: Number(event.target.value) })}>
    </td>
    <td><input type="checkbox" aria-label=${words.soldOutOf(item.name)} .checked=${item.sold_out} @change=${(event) => sellOut(item, event.target.checked)}></td>
    <td><button type="button" class="button small quiet" aria-label=${words.removeOf(item.name)} @click=${() => take(removed(menu, "items", item.id))}>✕</button></td>
  </tr>`;
}

function pricesView(menu, item, take) {
  const field = (size, name, amount) => {
    const set = (event) => {
      const entered = cents(event.target.value);
      if (entered === null) event.target.value = written(amount);
      else take(priced(menu, item, size, entered));
    };
    return html`<label>
      ${name ? html`<span>${name}</span>` : nothing}
      <input class="short" inputmode="decimal" aria-label=${texts.owner.menu.priceOf(item.name, name)} .value=${written(amount)} @change=${set}>
    </label>`;
  };
  if (item.price !== null && item.price !== undefined) return field(null, "", item.price);
  return sizesOf(menu, item).map(({ id, name }) => field(id, name, item.prices[id]));
}

/** The hours in which only some things are served. */
export function hoursView(menu, take) {
  const words = texts.owner.menu;
  return html`<section aria-labelledby="hours-title">
    <h2 id="hours-title">${words.hours}</h2>
    <p class="muted">${words.hoursMore}</p>
    <ul class="hours">${menu.day_parts.map((part) => partView(menu, part, take))}</ul>
    ${addForm(words.newHours, words.addHours, (name) => take(withDayPart(menu, name)))}
  </section>`;
}

function partView(menu, part, take) {
  const words = texts.owner.menu;
  const set = (fields) => take(changed(menu, "day_parts", part.id, fields));
  const toggled = (list, id, on) => (on ? [...list, id] : list.filter((one) => one !== id));
  const time = (name) => html`<input type="time" aria-label="${part.name}, ${words[name]}" .value=${part[name]} @change=${(event) => set({ [name]: event.target.value })}>`;
  return html`<li>
    <div class="hours-head">
      <strong>${part.name}</strong> ${time("start")} <span>–</span> ${time("end")}
      <button type="button" class="button small quiet" aria-label=${words.removeOf(part.name)} @click=${() => take(removed(menu, "day_parts", part.id))}>✕</button>
    </div>
    <div class="ticks" role="group" aria-label="${part.name}, ${words.days}">
      ${DAYS.map(
        (id) => html`<label class="tick">
          <input type="checkbox" .checked=${part.days.includes(id)} @change=${(event) => set({ days: DAYS.filter((one) => toggled(part.days, id, event.target.checked).includes(one)) })}>
          <span>${words.day[id]}</span>
        </label>`,
      )}
    </div>
    <div class="ticks" role="group" aria-label="${part.name}, ${words.categories}">
      ${menu.categories.map(
        ({ id, name }) => html`<label class="tick">
          <input type="checkbox" .checked=${part.categories.includes(id)} @change=${(event) => set({ categories: toggled(part.categories, id, event.target.checked) })}>
          <span>${name}</span>
        </label>`,
      )}
    </div>
  </li>`;
}

function addForm(label, button, add) {
  const submit = (event) => {
    event.preventDefault();
    const name = typed(event.target, "name");
    event.target.reset();
    if (name) add(name);
  };
  return html`<form class="add" @submit=${submit}>
    <input name="name" maxlength="100" required aria-label=${label} placeholder=${label}>
    <button type="submit" class="button small">${button}</button>
  </form>`;
}
