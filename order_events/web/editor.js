/** The order editor: lines and menu side by side, saved as they change. */

import { money } from "./dom.js";
import { Editing } from "./editing.js";
import { html, nothing, render } from "./lit-html.js";
import { lineView, menuView, partsView } from "./editor-view.js";
import { changeOrder, createOrder, loadOrder } from "./orders.js";
import { chipsView, place, shortNumber } from "./order-view.js";
import { lacking } from "./order-draft.js";
import { attentionOf, chips } from "./reasons.js";
import { texts } from "./texts.js";

export class Editor {
  #dialog;
  #handlers;
  #editing = null;
  #about = null;
  #category = null;
  #cancelling = false;

  /** Handlers: `saved(order)`, `step(order, status, reason)`, `handBack(card)`, `resolve(call)`,
   *  `menu()` (a `MenuIndex`, or null), `explain(error)` (an error in words). */
  constructor(dialog, handlers) {
    this.#dialog = dialog;
    this.#handlers = handlers;
    dialog.addEventListener("close", () => this.#closed());
  }

  /** The session whose order is being changed, or null. */
  get session() {
    return this.#about?.card?.session ?? null;
  }

  /** Opens for an order, or for a guest who has none yet. `card` and `call` may be undefined. */
  open({ card, order, call }) {
    this.#about = { card, call };
    this.#cancelling = false;
    const lane = card?.lane ?? null;
    const source = {
      type: lane === null ? "takeout" : "drive-thru",
      source: { session_id: card?.session ?? null, lane },
    };
    const api = { change: changeOrder, create: createOrder, load: loadOrder };
    this.#editing = new Editing(order, source, api, {
      changed: () => this.#draw(),
      saved: (now) => this.#handlers.saved(now),
    });
    this.#category = this.#handlers.menu()?.menu.categories[0]?.id ?? null;
    this.#draw();
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** Takes an order that was changed somewhere else. */
  take(order) {
    if (this.#editing !== null && this.#editing.order?.id === order.id) this.#editing.take(order);
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  #closed() {
    this.#editing = null;
    this.#about = null;
  }

  /** Does something with the order once it is saved; nothing if it could not be saved. */
  async #saved(then) {
    const editing = this.#editing;
    await editing.save();
    if (editing !== this.#editing || editing.unsaved || editing.problem !== null) return;
    if (await then(editing.order)) this.close();
  }

  #confirm() {
    return this.#saved(async (order) => {
      if (order.status === "pending" && !(await this.#handlers.step(order, "confirmed"))) return false;
      return this.#answered();
    });
  }

  async #cancel(reason) {
    const { order } = this.#editing;
    if ((await this.#handlers.step(order, "cancelled", reason)) && (await this.#answered())) this.close();
  }

  #handBack() {
    return this.#saved(() => this.#handlers.handBack(this.#about.card));
  }

  async #answered() {
    const { call } = this.#about;
    return call ? this.#handlers.resolve(call) : true;
  }

  #draw() {
    const index = this.#handlers.menu();
    if (this.#editing === null || index === null) return;
    render(this.#view(this.#editing, index), this.#dialog);
  }

  #view(editing, index) {
    const { order, lines } = editing;
    const where = order ?? this.#about.card ?? {};
    const set = (changed) => editing.setLines(changed);
    const selected = lines.find(({ id }) => id === editing.selected);
    const ready = lines.length > 0 && lines.every((line) => lacking(line, lines, index) === null);
    return html`
      <header class="editor-head">
        <h2 tabindex="-1" autofocus>${order ? texts.editor.title(shortNumber(order)) : texts.editor.newOrder}
          <span class="muted">${texts.editor.of(place(where))}</span></h2>
        <label class="editor-name"><span>${texts.editor.name}</span>
          <input type="text" maxlength="200" autocomplete="off" .value=${editing.name}
            @input=${(event) => editing.setName(event.target.value)} @change=${() => editing.save()}>
        </label>
        <button type="button" class="button quiet" @click=${() => this.close()}>${texts.editor.close}</button>
      </header>
      ${editing.problem ? html`<p class="problem" role="alert">${this.#problemText(editing)}</p>` : nothing}
      ${chipsView(chips(this.#about.card?.reasons ?? [], attentionOf(order)))}
      <div class="editor-body">
        <section class="editor-lines" aria-label=${texts.editor.lines}>
          ${lines.length === 0 ? html`<p class="muted">${texts.editor.empty}</p>` : nothing}
          <ul>
            ${lines.map((line) => lineView({ line, lines, index, order, selected, set, select: (id) => editing.select(id) }))}
          </ul>
          <p class="editor-total">
            <span class="muted" role="status">${this.#stateText(editing)}</span>
            ${order ? html`<strong>${texts.editor.total} ${money(order.total, order.currency)}</strong>` : nothing}
          </p>
        </section>
        <section class="editor-menu" aria-label=${texts.editor.menu}>
          ${selected
            ? partsView({ line: selected, lines, index, set, back: () => editing.select(null) })
            : menuView({
                lines, index, category: this.#category, set,
                choose: (id) => {
                  this.#category = id;
                  this.#draw();
                },
                select: (id) => editing.select(id),
              })}
        </section>
      </div>
      ${this.#cancelling ? this.#cancelView() : this.#footView(editing, ready)}
    `;
  }

  #problemText({ problem, order }) {
    if (problem.code === "STALE_VERSION") return texts.editor.stale;
    if (problem.code === "ILLEGAL_TRANSITION" && order) {
      return texts.editor.notChangeable(texts.status[order.status]);
    }
    return this.#handlers.explain(problem);
  }

  #stateText(editing) {
    if (editing.saving) return texts.editor.saving;
    if (editing.order === null && editing.lines.length === 0) return "";
    return editing.unsaved ? texts.editor.unsaved : texts.editor.saved;
  }

  #footView(editing, ready) {
    const { order } = editing;
    const held = this.#about.card?.open && this.#about.card.heldBy !== null;
    return html`<footer class="editor-foot">
      ${order
        ? html`<button type="button" class="button quiet" @click=${() => this.#ask(true)}>${texts.editor.cancel}</button>`
        : nothing}
      ${held
        ? html`<button type="button" class="button" @click=${() => this.#handBack()}>${texts.editor.handBack}</button>`
        : nothing}
      <button type="button" class="button primary" ?disabled=${!ready} @click=${() => this.#confirm()}>
        ${order === null || order.status === "pending" ? texts.editor.confirm : texts.calls.resolve}
      </button>
    </footer>`;
  }

  #cancelView() {
    return html`<footer class="editor-foot asking">
      <p>${texts.kitchen.whyCancel}</p>
      ${texts.cancelReasons.map(
        (reason) => html`<button type="button" class="button" @click=${() => this.#cancel(reason)}>${reason}</button>`,
      )}
      <button type="button" class="button primary" @click=${() => this.#ask(false)}>${texts.kitchen.keep}</button>
    </footer>`;
  }

  #ask(cancelling) {
    this.#cancelling = cancelling;
    this.#draw();
  }
}
