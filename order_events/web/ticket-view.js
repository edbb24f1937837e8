/** Draws one ticket of the kitchen's board. */

import { elapsed, setText } from "./dom.js";
import { html, nothing } from "./lit-html.js";
import { chipsView, detailsView, headView, lineText, place, shortNumber } from "./order-view.js";
import { texts } from "./texts.js";
import { ageOf } from "./tickets.js";

const EDITABLE = ["pending", "confirmed", "preparing"];

/**
 * `state` is a ticket of `tickets.js` or `stations.js`, with what the board knows besides: `asking`,
 * `waiting` (presses), `key` (the number that presses it), `part` and `ofParts`. `act` is what its
 * buttons do: `ask(what)`, `press(press)`, `station(done)`, `edit()`, `rush()`, `print()`, and
 * `mayEdit`.
 */
export function ticketView(state, act) {
  const { order, part, ofParts } = state;
  const first = part === 1;
  return html`
    <header class="ticket-head">
      <h3 id="ticket-${order.id}-${part}">
        ${state.key ? html`<kbd class="key" aria-hidden="true">${state.key}</kbd>` : nothing}
        <span class="number">#${shortNumber(order)}</span>
        <span class="place">${place(order)}</span>
        ${order.rush ? html`<span class="rush">${texts.kitchen.rush}</span>` : nothing}
        ${ofParts > 1 ? html`<span class="part-of">${texts.kitchen.part(part, ofParts)}</span>` : nothing}
      </h3>
      <span class="age" title=${texts.kitchen.age}></span>
    </header>
    ${first ? aboutView(state) : nothing}
    <ul class="items">${state.shown.map((line) => lineView(state, line, act))}</ul>
    ${part === ofParts ? endView(state, act) : html`<p class="more-lines">${texts.kitchen.goesOn}</p>`}
  `;
}

/** Shows how long a ticket has waited, and colours it by that. Every second, so not by drawing. */
export function showAge(node, order, now, limits) {
  const { ms, late } = ageOf(order, now, limits);
  setText(node.querySelector(".age"), elapsed(ms));
  if (node.dataset.late !== late) node.dataset.late = late;
}

function aboutView({ order, chips, gone }) {
  return html`
    ${order.customer_name ? html`<p class="customer">${order.customer_name}</p>` : nothing}
    ${gone || order.status === "cancelled" ? goneView(order) : nothing}
    ${chipsView(chips)}
    ${order.notes ? html`<p class="notes">${order.notes}</p>` : nothing}
  `;
}

function goneView(order) {
  const why = order.status_reason;
  return html`<p class="cancelled">
    <strong>${texts.kitchen.cancelled}</strong>${why ? ` ${texts.kitchen.because(why)}` : nothing}
  </p>`;
}

function lineView({ order, bumps }, { item, mark, before }, act) {
  const done = item.status === "done";
  const label = (done ? texts.kitchen.itemOpen : texts.kitchen.itemDone)(item.name);
  const press = () => act.press({ kind: "item", item: item.id, status: done ? "open" : "done" });
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

function endView(state, act) {
  const { order, elsewhere } = state;
  return html`
    ${elsewhere ? html`<p class="elsewhere">${texts.kitchen.elsewhere(elsewhere)}</p>` : nothing}
    ${state.changed
      ? html`<div class="changed" role="status">
          <strong>${texts.kitchen.changes}</strong>
          ${button(order, "ack", "small", texts.kitchen.acknowledge, () => act.press({ kind: "acknowledge" }))}
        </div>`
      : nothing}
    ${state.waiting.some(({ tried }) => tried)
      ? html`<p class="unsent" role="status">${texts.kitchen.unsent}</p>`
      : nothing}
    ${footView(state, act)}
  `;
}

function footView(state, act) {
  const { order, asking } = state;
  if (asking === "cancel") return cancelView(order, act);
  if (asking === "confirm") return confirmView(order, act);
  if (asking === "more") return moreView(state, act);
  const undo = button(order, "undo", "small undo", texts.kitchen.undo, () => act.press({ kind: "recall" }));
  if (state.gone) {
    const dismiss = () => act.press({ kind: "acknowledge" });
    return html`<footer class="ticket-foot">
      ${state.undo ? undo : nothing}
      ${button(order, "dismiss", "secondary next", texts.kitchen.dismiss, dismiss)}
    </footer>`;
  }
  if (state.open) return stationFootView(state, act);
  const [next] = state.steps;
  // While a guest is still speaking, the guest confirms the order. Staff rarely have to.
  const ready = state.whole && state.bumps;
  const kind = order.status === "pending" ? "secondary" : ready ? "primary ready" : "primary";
  const take = () => (state.blocked ? act.ask("confirm") : act.press({ kind: "status", status: next }));
  return html`<footer class="ticket-foot">
    <span class="prep">${state.undo ? texts.kitchen.moved(texts.status[order.status]) : progress(state)}</span>
    ${state.undo ? undo : button(order, "more", "quiet small more", texts.kitchen.more, () => act.ask("more"), "⋯")}
    ${next ? button(order, "next", `${kind} next`, texts.step[next], take) : nothing}
  </footer>`;
}

/** "2 of 5 done", or how long it should take. */
function progress({ order, done, parts, stage, bumps }) {
  if (bumps && done > 0 && done < parts) return texts.kitchen.progress(done, parts);
  return order.prep_time > 0 && stage !== "ready" ? texts.kitchen.minutes(order.prep_time) : nothing;
}

/** A station marks its own lines. Whoever hands the order out sees them, and takes the next step. */
function stationFootView({ order, open }, act) {
  return html`<footer class="ticket-foot">
    ${open.length > 0
      ? button(order, "next", "primary ready next", texts.kitchen.stationDone, () => act.station(true))
      : button(order, "undo", "small undo", texts.kitchen.undo, () => act.station(false))}
  </footer>`;
}

/** What is needed now and then, one press away. */
function moreView({ order, steps }, act) {
  const then = (action) => () => {
    act.ask(null);
    action();
  };
  const editable = act.mayEdit && EDITABLE.includes(order.status);
  const rush = order.rush ? texts.kitchen.noRush : texts.kitchen.makeRush;
  return html`<footer class="ticket-foot asking">
    ${editable ? button(order, "edit", "small", texts.kitchen.edit, then(act.edit)) : nothing}
    ${editable ? button(order, "rush", "small", rush, then(act.rush)) : nothing}
    ${button(order, "print", "small", texts.kitchen.print, then(act.print))}
    ${steps.includes("cancelled")
      ? button(order, "cancel", "small cancel", texts.step.cancelled, () => act.ask("cancel"))
      : nothing}
    ${button(order, "keep", "secondary next", texts.kitchen.back, () => act.ask(null))}
  </footer>`;
}

function cancelView(order, act) {
  const cancel = (reason) => {
    act.ask(null);
    act.press({ kind: "status", status: "cancelled", reason });
  };
  return html`<footer class="ticket-foot asking">
    <p>${texts.kitchen.whyCancel}</p>
    ${texts.cancelReasons.map((reason, i) => button(order, `why${i}`, "small why", reason, () => cancel(reason)))}
    ${button(order, "keep", "secondary next", texts.kitchen.keep, () => act.ask(null))}
  </footer>`;
}

function confirmView(order, act) {
  const confirm = () => {
    act.ask(null);
    act.press({ kind: "status", status: "confirmed" });
  };
  // The safe answer lies where the first press was.
  return html`<footer class="ticket-foot asking">
    <p>${texts.kitchen.notYet}</p>
    ${button(order, "anyway", "small anyway", texts.kitchen.confirmAnyway, confirm)}
    ${button(order, "keep", "secondary next", texts.kitchen.wait, () => act.ask(null))}
  </footer>`;
}

function button(order, name, kind, text, press, sign = text) {
  return html`<button
    type="button"
    class="button ${kind}"
    data-focus="${order.id}/${name}"
    aria-label=${texts.kitchen.order(text, shortNumber(order))}
    @click=${press}
  >${sign}</button>`;
}
