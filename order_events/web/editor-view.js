/** The parts of the order editor: a line, the menu, and what can be chosen for a line. */

import { money, words } from "./dom.js";
import { html, nothing } from "./lit-html.js";
import { added, changed, counted, filled, lacking, modified } from "./order-draft.js";
import { modifierText } from "./order-view.js";
import { texts } from "./texts.js";

const QUALIFIERS = ["light", "extra", "on_the_side"];

/** A line of the order with its buttons. */
export function lineView({ line, lines, index, order, selected, set, select }) {
  const name = index.nameOf(line);
  const lacks = lacking(line, lines, index);
  const priced = order?.items.find(({ id }) => id === line.id);
  const named = line.modifiers.map((one) => ({ ...one, name: index.modifier(one)?.name ?? words(one.id) }));
  return html`<li class="editor-line ${line.part_of ? "part" : ""}" ?data-selected=${selected?.id === line.id}>
    ${line.part_of
      ? nothing
      : html`<span class="stepper">
          ${step("−", texts.editor.less(name), () => set(counted(lines, line.id, line.quantity - 1)))}
          <output>${line.quantity}</output>
          ${step("+", texts.editor.more(name), () => set(counted(lines, line.id, line.quantity + 1)))}
        </span>`}
    <button type="button" class="editor-item" aria-label=${texts.editor.change(name)} @click=${() => select(line.id)}>
      <strong>${name}</strong>
      ${named.length > 0 ? html`<span class="muted">${named.map(modifierText).join(", ")}</span>` : nothing}
      ${line.special_instructions ? html`<em>${line.special_instructions}</em>` : nothing}
      ${lacks ? html`<span class="lacks">${lackingText(lacks)}</span>` : nothing}
    </button>
    <span class="price">${priced ? money(priced.subtotal, order.currency) : nothing}</span>
    ${line.part_of
      ? nothing
      : html`<button
          type="button"
          class="button quiet small"
          aria-label=${texts.editor.remove(name)}
          @click=${() => set(counted(lines, line.id, 0))}
        >×</button>`}
  </li>`;
}

/** The menu: categories, and the items of the chosen one. */
export function menuView({ lines, index, category, set, choose, select }) {
  const { menu } = index;
  const add = (item) => {
    const more = added(lines, item);
    set(more);
    const line = more[lines.length];
    // What needs a choice is asked about at once.
    if (lacking(line, more, index)) select(line.id);
  };
  return html`
    <div class="categories" role="group" aria-label=${texts.editor.menu}>
      ${menu.categories.map(
        ({ id, name }) => html`<button
          type="button"
          aria-pressed=${String(id === category)}
          @click=${() => choose(id)}
        >${name}</button>`,
      )}
    </div>
    <div class="choices">
      ${menu.items
        .filter((item) => item.category === category)
        .map(
          (item) => html`<button type="button" class="choice" ?disabled=${item.sold_out} @click=${() => add(item)}>
            <span>${item.name}</span>
            <span class="muted">${item.sold_out ? texts.editor.soldOut : priceText(item, menu.currency)}</span>
          </button>`,
        )}
    </div>
  `;
}

/** What can be chosen for a line: its size, the parts of a combo, modifiers, a note. */
export function partsView({ line, lines, index, set, back }) {
  const item = index.items.get(line.menu_item_id);
  const lacks = lacking(line, lines, index);
  return html`
    <header class="parts-head">
      <h3>${index.nameOf(line)}</h3>
      <button type="button" class="button" @click=${back}>${texts.editor.backToMenu}</button>
    </header>
    ${lacks ? html`<p class="lacks" role="status">${lackingText(lacks)}</p>` : nothing}
    ${item ? [sizesView(line, lines, item, index, set), ...slotsView(line, lines, item, index, set)] : nothing}
    ${(item?.modifier_groups ?? []).map((group) => groupView(line, lines, index.groups.get(group), item, set))}
    <label class="editor-note"><span>${texts.editor.note}</span>
      <input
        type="text"
        maxlength="500"
        autocomplete="off"
        .value=${line.special_instructions ?? ""}
        @change=${(event) => set(changed(lines, line.id, { special_instructions: event.target.value || null }))}
      >
    </label>
  `;
}

function sizesView(line, lines, item, index, set) {
  const sizes = Object.keys(item.prices);
  if (sizes.length === 0) return nothing;
  return html`<fieldset class="group">
    <legend>${texts.editor.size}</legend>
    ${sizes.map((size) =>
      toggle(index.sizes.get(size)?.name ?? words(size), line.size === size, () =>
        set(changed(lines, line.id, { size })),
      ),
    )}
  </fieldset>`;
}

function slotsView(line, lines, item, index, set) {
  return item.slots.map((slot) => {
    const now = lines.find((one) => one.part_of === line.id && one.slot === slot.id);
    return html`<fieldset class="group">
      <legend>${slot.name}</legend>
      ${index.choices(slot).map((choice) =>
        toggle(
          choice.name,
          now?.menu_item_id === choice.id,
          () => set(filled(lines, line, slot, choice)),
          choice.sold_out,
        ),
      )}
    </fieldset>`;
  });
}

function groupView(line, lines, group, item, set) {
  return html`<fieldset class="group">
    <legend>${group.name}</legend>
    <ul class="modifier-rows">
      ${group.modifiers.map((one) => modifierRow(line, lines, group, one, item, set))}
    </ul>
  </fieldset>`;
}

function modifierRow(line, lines, group, modifier, item, set) {
  const now = line.modifiers.find(({ id, group: its }) => id === modifier.id && its === group.id);
  const comesWith = item.defaults.includes(modifier.id);
  const put = (how) => set(modified(lines, line.id, { group: group.id, modifier: modifier.id }, how));
  const added = now !== undefined && !now.negated;
  const qualifier = now?.qualifier ?? null;
  return html`<li>
    <span class="modifier-name">${modifier.name}</span>
    ${comesWith ? toggle(texts.editor.no, now?.negated === true, () => put(now?.negated ? null : { negated: true })) : nothing}
    ${comesWith ? nothing : toggle(texts.editor.add, added && qualifier === null, () => put(added && qualifier === null ? null : {}))}
    ${QUALIFIERS.map((name) =>
      toggle(texts.editor.qualifier[name], added && qualifier === name, () =>
        put(added && qualifier === name ? null : { qualifier: name }),
      ),
    )}
  </li>`;
}

function toggle(text, on, press, disabled = false) {
  return html`<button type="button" class="toggle" aria-pressed=${String(on)} ?disabled=${disabled} @click=${press}>
    ${text}
  </button>`;
}

function step(sign, label, press) {
  return html`<button type="button" class="step-button" aria-label=${label} @click=${press}>${sign}</button>`;
}

/** @param {{size?: boolean, slot?: any}} lacks */
function lackingText({ slot }) {
  return slot ? texts.editor.chooseFor(slot.name) : texts.editor.chooseSize;
}

function priceText(item, currency) {
  const prices = item.price === null ? Object.values(item.prices) : [item.price];
  const [least, most] = [Math.min(...prices), Math.max(...prices)];
  return least === most ? money(least, currency) : `${money(least, currency)} – ${money(most, currency)}`;
}
