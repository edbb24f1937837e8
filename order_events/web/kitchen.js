/** The kitchen display: a column per status, a ticket per order, a button for the next step. */

import { elapsed, keepingFocus, setText } from "./dom.js";
import { Keyed, Steady } from "./keyed.js";
import { html, nothing, render } from "./lit-html.js";
import { chipsView, detailsView, headView, lineText, place, shortNumber } from "./order-view.js";
import { texts } from "./texts.js";
import { ACTIVE, ageOf, ticketOf } from "./tickets.js";

/** How long a ticket asks whether it is really meant, in ms. */
const ASKING_MS = 8_000;
/** How long a new or moved ticket is highlighted, in ms. */
const FRESH_MS = 2_500;

export class Kitchen {
  #root;
  #rows = new Keyed("article", "ticket");
  #steady;
  #handlers;
  #chosen = "confirmed";
  #asking = new Map();
  #tickets = new WeakMap();
  #fresh = new Map();
  #orders = [];
  #now = 0;

  /** Handlers: `press(order, press)`, `presses(id)`, `undoable(id)`, `edit(order)` and
   *  `mayEdit()`, whether this role may change orders. */
  constructor(root, handlers) {
    this.#root = root;
    this.#handlers = handlers;
    this.#steady = new Steady(root, ".ticket");
  }

  /** Shows these orders at the server's time `now` in ms. */
  show(orders, now) {
    this.#orders = orders;
    this.#now = now;
    this.#draw();
  }

  /** Highlights an order that is new or has moved. */
  highlight(id) {
    this.#fresh.set(id, Date.now() + FRESH_MS);
    setTimeout(() => this.#draw(), FRESH_MS + 50);
  }

  #draw() {
    const tickets = this.#orders
      .map((order) => this.#ticket(order))
      .filter(({ stage }) => stage !== null)
      .sort((a, b) => a.order.created_at.localeCompare(b.order.created_at));
    const columns = ACTIVE.map((stage) => ({ stage, tickets: tickets.filter((t) => t.stage === stage) }));
    render(this.#boardView(columns), this.#root);
    keepingFocus(() => {
      this.#rows.begin();
      for (const { stage, tickets: shown } of columns) {
        this.#rows.place(
          this.#root.querySelector(`.column[data-status="${stage}"] .tickets`),
          shown.map((ticket) => this.#row(ticket)),
        );
      }
      this.#rows.end();
    });
    this.#steady.watch();
  }

  /** The ticket of an order, worked out once per version. */
  #ticket(order) {
    const undoing = this.#handlers.undoable(order.id);
    const known = this.#tickets.get(order);
    if (known?.undoing === undoing) return known.ticket;
    const ticket = ticketOf(order, undoing);
    this.#tickets.set(order, { undoing, ticket });
    return ticket;
  }

  #boardView(columns) {
    return html`
      <div class="steps" role="group" aria-label=${texts.kitchen.tabs}>
        ${columns.map(
          ({ stage, tickets }) => html`<button
            type="button"
            class="step"
            data-status=${stage}
            aria-pressed=${String(stage === this.#chosen)}
            @click=${() => this.#choose(stage)}
          >
            ${texts.status[stage]}<span class="count">${tickets.length}</span>
          </button>`,
        )}
      </div>
      <div class="board">
        ${columns.map(
          ({ stage, tickets }) => html`<section
            class="column"
            data-status=${stage}
            ?data-chosen=${stage === this.#chosen}
            aria-labelledby="column-${stage}"
          >
            <h3 id="column-${stage}" class="column-head">
              ${texts.status[stage]}<span class="count">${tickets.length}</span>
            </h3>
            <p class="empty" ?hidden=${tickets.length > 0}>${texts.empty[stage]}</p>
            <div class="tickets"></div>
          </section>`,
        )}
      </div>
    `;
  }

  /** On a narrow screen one column is shown at a time. */
  #choose(stage) {
    this.#chosen = stage;
    this.#draw();
  }

  #row(ticket) {
    const { order } = ticket;
    const state = {
      ...ticket,
      asking: this.#asked(order),
      waiting: this.#handlers.presses(order.id),
      undo: this.#handlers.undoable(order.id),
      fresh: (this.#fresh.get(order.id) ?? 0) > Date.now(),
    };
    const waits = state.waiting.map(({ kind, item, tried }) => `${kind}${item ?? ""}${tried}`);
    const mark = [order.version, state.stage, state.asking, waits, state.undo, state.fresh];
    return {
      key: order.id,
      mark: mark.join("|"),
      draw: (node) => {
        node.dataset.order = order.id;
        node.dataset.status = order.status;
        node.setAttribute("aria-labelledby", `ticket-${order.id}`);
        node.setAttribute("aria-busy", String(state.waiting.some(({ tried }) => !tried)));
        node.classList.toggle("fresh", state.fresh);
        node.classList.toggle("blocked", state.blocked);
        node.classList.toggle("gone", state.gone);
        return this.#ticketView(state);
      },
      touch: (node) => this.#showAge(node, order),
    };
  }

  /** Every second, so not by drawing the ticket again. */
  #showAge(node, order) {
    const { ms, late } = ageOf(order, this.#now);
    const age = node.querySelector(".age");
    setText(age, elapsed(ms));
    if (node.dataset.late !== late) node.dataset.late = age.dataset.late = late;
  }

  #ticketView(state) {
    const { order } = state;
    return html`
      <header class="ticket-head">
        <h4 id="ticket-${order.id}">
          <span class="number">#${shortNumber(order)}</span>
          <span class="place">${place(order)}</span>
        </h4>
        <span class="age" title=${texts.kitchen.age}></span>
      </header>
      ${order.customer_name ? html`<p class="customer">${order.customer_name}</p>` : nothing}
      ${state.gone || order.status === "cancelled" ? this.#goneView(order) : nothing}
      ${chipsView(state.chips)}
      ${order.notes ? html`<p class="notes">${order.notes}</p>` : nothing}
      <ul class="items">${state.lines.map((line) => this.#lineView(state, line))}</ul>
      ${state.changed ? this.#changedView(order) : nothing}
      ${state.waiting.some(({ tried }) => tried)
        ? html`<p class="unsent" role="status">${texts.kitchen.unsent}</p>`
        : nothing}
      ${this.#footView(state)}
    `;
  }

  #goneView(order) {
    const why = order.status_reason;
    return html`<p class="cancelled">
      <strong>${texts.kitchen.cancelled}</strong>${why ? ` ${texts.kitchen.because(why)}` : nothing}
    </p>`;
  }

  #lineView({ order, bumps }, { item, mark, before }) {
    const done = item.status === "done";
    const label = (done ? texts.kitchen.itemOpen : texts.kitchen.itemDone)(item.name);
    const press = () =>
      this.#handlers.press(order, { kind: "item", item: item.id, status: done ? "open" : "done" });
    return html`<li class=${item.part_of ? "item part" : "item"} data-mark=${mark ?? nothing} ?data-done=${done}>
      ${mark ? html`<span class="mark">${texts.kitchen[mark]}</span>` : nothing}
      ${bumps && mark !== "voided"
        ? html`<button
            type="button"
            class="bump"
            data-focus="${order.id}/item/${item.id}"
            aria-pressed=${String(done)}
            aria-label=${label}
            @click=${press}
          >${headView(item)}</button>`
        : headView(item)}
      ${detailsView(item)}
      ${mark === "changed" && before ? html`<p class="before">${texts.kitchen.was(lineText(before))}</p>` : nothing}
    </li>`;
  }

  #changedView(order) {
    return html`<div class="changed" role="status">
      <strong>${texts.kitchen.changes}</strong>
      ${this.#button(order, "ack", "small", texts.kitchen.acknowledge, () =>
        this.#handlers.press(order, { kind: "acknowledge" }),
      )}
    </div>`;
  }

  #footView(state) {
    const { order, asking, undo } = state;
    if (asking === "cancel") return this.#cancelView(order);
    if (asking === "confirm") return this.#confirmView(order);
    if (state.gone) return this.#dismissView(order, undo);
    const [next, ...others] = state.steps;
    // While a guest is still speaking, the guest confirms the order. Staff rarely have to.
    const kind = order.status === "pending" ? "secondary" : state.whole && state.bumps ? "primary ready" : "primary";
    const take = () =>
      state.blocked ? this.#ask(order, "confirm") : this.#handlers.press(order, { kind: "status", status: next });
    return html`<footer class="ticket-foot">
      ${undo
        ? html`<span class="prep">${texts.kitchen.moved(texts.status[order.status])}</span>
            ${this.#button(order, "undo", "small undo", texts.kitchen.undo, () =>
              this.#handlers.press(order, { kind: "recall" }),
            )}`
        : html`<span class="prep">${order.prep_time > 0 && state.stage !== "ready" ? texts.kitchen.minutes(order.prep_time) : nothing}</span>
            ${this.#handlers.mayEdit() && ["pending", "confirmed", "preparing"].includes(order.status)
              ? this.#button(order, "edit", "quiet small", texts.kitchen.edit, () => this.#handlers.edit(order))
              : nothing}
            ${others.includes("cancelled")
              ? this.#button(order, "cancel", "quiet small cancel", texts.step.cancelled, () =>
                  this.#ask(order, "cancel"),
                )
              : nothing}`}
      ${next ? this.#button(order, "next", `${kind} next`, texts.step[next], take) : nothing}
    </footer>`;
  }

  #dismissView(order, undo) {
    return html`<footer class="ticket-foot">
      ${undo
        ? this.#button(order, "undo", "small undo", texts.kitchen.undo, () =>
            this.#handlers.press(order, { kind: "recall" }),
          )
        : nothing}
      ${this.#button(order, "dismiss", "secondary next", texts.kitchen.dismiss, () =>
        this.#handlers.press(order, { kind: "acknowledge" }),
      )}
    </footer>`;
  }

  #cancelView(order) {
    const cancel = (reason) => {
      this.#ask(order, null);
      this.#handlers.press(order, { kind: "status", status: "cancelled", reason });
    };
    return html`<footer class="ticket-foot asking">
      <p>${texts.kitchen.whyCancel}</p>
      ${texts.cancelReasons.map((reason, i) =>
        this.#button(order, `why${i}`, "small why", reason, () => cancel(reason)),
      )}
      ${this.#button(order, "keep", "secondary next", texts.kitchen.keep, () => this.#ask(order, null))}
    </footer>`;
  }

  #confirmView(order) {
    const confirm = () => {
      this.#ask(order, null);
      this.#handlers.press(order, { kind: "status", status: "confirmed" });
    };
    // The safe answer lies where the first press was.
    return html`<footer class="ticket-foot asking">
      <p>${texts.kitchen.notYet}</p>
      ${this.#button(order, "anyway", "small anyway", texts.kitchen.confirmAnyway, confirm)}
      ${this.#button(order, "keep", "secondary next", texts.kitchen.wait, () => this.#ask(order, null))}
    </footer>`;
  }

  #button(order, name, kind, text, press) {
    return html`<button
      type="button"
      class="button ${kind}"
      data-focus="${order.id}/${name}"
      aria-label=${texts.kitchen.order(text, shortNumber(order))}
      @click=${press}
    >${text}</button>`;
  }

  #asked(order) {
    const asked = this.#asking.get(order.id);
    return asked && asked.until > Date.now() && asked.status === order.status ? asked.what : null;
  }

  /** Lets a ticket ask something (`cancel`, `confirm`), or nothing any more. */
  #ask(order, what) {
    if (what === null) this.#asking.delete(order.id);
    else this.#asking.set(order.id, { what, status: order.status, until: Date.now() + ASKING_MS });
    this.#draw();
    setTimeout(() => this.#draw(), ASKING_MS + 50);
  }
}

/** The text that a screen reader announces when an order changes. */
export function announcement(order, isNew) {
  const number = shortNumber(order);
  if (!isNew) return texts.kitchen.nowIs(number, texts.status[order.status]);
  const items = order.items.reduce((sum, item) => sum + item.quantity, 0);
  return texts.kitchen.newOrder(number, place(order), texts.kitchen.items(items));
}
