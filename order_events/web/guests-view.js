/** Draws the guests at the lanes, and above them the calls for staff. */

import { clock, elapsed, keepingFocus, money, words } from "./dom.js";
import { Keyed, Steady } from "./keyed.js";
import { html, nothing, render } from "./lit-html.js";
import { chipsView, itemsView, place, shortNumber, withoutQuestion } from "./order-view.js";
import { attentionOf, chips } from "./reasons.js";
import { texts } from "./texts.js";

/** Statuses in which an order can still be changed. */
export const CHANGEABLE = ["pending", "confirmed", "preparing"];

export class GuestsView {
  #root;
  #handlers;
  #calls = new Keyed("li", "call-row");
  #cards = new Keyed("article", "talk");
  #steady;

  /** Handlers: `answer(call, step)`, `hold(card, held)`, `edit({card, order, call})`, `me()`. */
  constructor(root, handlers) {
    this.#root = root;
    this.#handlers = handlers;
    this.#steady = new Steady(root, ".talk, .call-row");
  }

  /** Shows guests, the calls in the order in which to answer them, and orders by id at `now`. */
  show({ cards, calls, orders, now }) {
    render(this.#frameView(cards, calls), this.#root);
    const calling = new Map(calls.map((call) => [call.session_id, call]));
    keepingFocus(() => {
      this.#calls.begin();
      this.#calls.place(
        this.#root.querySelector(".call-rows"),
        calls.map((call) => this.#callRow(call, cards, orders, now)),
      );
      this.#calls.end();
      this.#cards.begin();
      this.#cards.place(
        this.#root.querySelector(".talks"),
        cards.map((card) => this.#cardRow(card, calling.get(card.session))),
      );
      this.#cards.end();
    });
    this.#steady.watch();
  }

  #frameView(cards, calls) {
    return html`
      <section class="calls" aria-label=${texts.calls.title} ?hidden=${calls.length === 0}>
        <ol class="call-rows"></ol>
      </section>
      <div class="blank" id="no-conversations" ?hidden=${cards.length > 0 || calls.length > 0}>
        <p class="blank-title">${texts.guests.quiet}</p>
        <p>${texts.guests.quietMore}</p>
      </div>
      <div class="talks"></div>
    `;
  }

  #callRow(call, cards, orders, now) {
    const card = cards.find(({ session }) => session === call.session_id);
    const order = orders.get(call.order_id) ?? card?.order ?? null;
    const waited = elapsed(now - Date.parse(call.since));
    const known = [order?.version, card?.open, card?.heldBy, card?.version];
    return {
      key: call.id,
      mark: [call.version, waited, ...known].join("|"),
      draw: (node) => {
        node.dataset.session = call.session_id;
        node.dataset.urgency = call.urgency;
        node.dataset.state = call.state;
        return html`
          <strong class="call-place">${place(order ?? call)}</strong>
          ${chipsView(chips(call.reasons.map(calling), attentionOf(order)))}
          <span class="call-waited">${texts.calls.waiting(waited)}</span>
          <span class="call-who">${this.#who(call)}</span>
          <span class="call-buttons">${this.#callButtons(call, { card, order })}</span>
        `;
      },
    };
  }

  #who({ taken_by }) {
    if (taken_by === null) return nothing;
    return taken_by === this.#handlers.me() ? texts.calls.mine : texts.calls.theirs(taken_by);
  }

  #callButtons(call, { card, order }) {
    const answer = (step) => () => this.#handlers.answer(call, step);
    const mine = call.taken_by === this.#handlers.me();
    const key = `call/${call.id}`;
    return html`
      ${call.taken_by === null ? button(`${key}/take`, "small primary", texts.calls.take, answer("take")) : nothing}
      ${call.taken_by !== null && !mine ? button(`${key}/release`, "small quiet", texts.calls.release, answer("release")) : nothing}
      ${mine ? this.#editButton(`${key}/edit`, { card, order, call }) : nothing}
      ${mine ? button(`${key}/release`, "small quiet", texts.calls.release, answer("release")) : nothing}
      ${call.taken_by !== null ? button(`${key}/resolve`, "small", texts.calls.resolve, answer("resolve")) : nothing}
    `;
  }

  #editButton(key, { card, order, call }) {
    if (order === null || !CHANGEABLE.includes(order.status)) return nothing;
    if (card?.open && card.heldBy !== this.#handlers.me()) return nothing;
    return button(key, "small", texts.guests.edit, () => this.#handlers.edit({ card, order, call }));
  }

  #cardRow(card, call) {
    const { transcript, order } = card;
    const mark = [
      card.version, card.status, card.open, card.heldBy, card.readback, JSON.stringify(card.reasons),
      order?.version, transcript.speaking, call?.version, card.lane,
    ];
    return {
      key: card.session,
      mark: mark.join("|"),
      draw: (node) => {
        node.dataset.session = card.session;
        node.dataset.status = card.status;
        node.toggleAttribute("data-calls", call !== undefined);
        node.setAttribute("aria-labelledby", `talk-${card.session}`);
        return this.#cardView(card, call);
      },
    };
  }

  #cardView(card, call) {
    const { order, transcript } = card;
    const question = card.reasons.find((reason) => reason.question)?.question;
    const readback = withoutQuestion(card.readback, question);
    const shown = chips(card.reasons, attentionOf(order), (call?.reasons ?? []).map(calling));
    return html`
      <header class="talk-head">
        <div>
          <h3 id="talk-${card.session}" class="talk-name">${place(order ?? card)}</h3>
          <span class="talk-time">${texts.guests.since(clock(card.startedAt))}</span>
        </div>
        <div class="talk-state">
          <span class="speech" ?hidden=${!transcript.speaking}>
            <span class="bars" aria-hidden="true"><i></i><i></i><i></i><i></i></span>${texts.guests.speaking}
          </span>
          <span class="badge" data-status=${card.status}>${texts.talk[card.status] ?? words(card.status)}</span>
        </div>
      </header>
      ${chipsView(shown)}
      ${call ? this.#callView(call) : nothing}
      ${question ? html`<p class="question">${question}</p>` : nothing}
      ${readback ? html`<p class="readback">${readback}</p>` : nothing}
      ${transcript.node}
      <div class="talk-order">${order ? this.#orderView(order) : nothing}</div>
      <div class="talk-staff">${this.#staffView(card, call)}</div>
    `;
  }

  #callView(call) {
    return html`<div class="call" role="alert">
      <strong>${call.taken_by === null ? texts.calls.needs : this.#who(call)}</strong>
      ${call.taken_by === null
        ? button(`${call.session_id}/call`, "small", texts.calls.take, () => this.#handlers.answer(call, "take"))
        : button(`${call.session_id}/call`, "small", texts.calls.resolve, () => this.#handlers.answer(call, "resolve"))}
    </div>`;
  }

  #orderView(order) {
    return html`
      <p class="talk-order-head">
        <span class="number">#${shortNumber(order)}</span>
        <span class="order-status" data-status=${order.status}>${texts.status[order.status]}</span>
        <span class="order-total">${money(order.total, order.currency)}</span>
      </p>
      ${itemsView(order, order.currency)}
    `;
  }

  /** Who has the order, and what staff can do: take it over, change it, hand it back. */
  #staffView(card, call) {
    const { session, order, heldBy } = card;
    const mine = heldBy === this.#handlers.me();
    const edit = () => this.#handlers.edit({ card, order, call });
    const changeable = order !== null && CHANGEABLE.includes(order.status);
    if (!card.open) {
      return changeable ? button(`${session}/edit`, "small", texts.guests.edit, edit) : nothing;
    }
    return html`
      <span class="muted">${heldBy === null ? nothing : texts.guests.takenOver(heldBy)}</span>
      ${mine && (changeable || order === null) ? button(`${session}/edit`, "small primary", texts.guests.edit, edit) : nothing}
      ${button(
        `${session}/hold`,
        "small",
        heldBy === null ? texts.guests.takeOver : texts.guests.handBack,
        () => this.#handlers.hold(card, heldBy === null),
      )}
    `;
  }
}

/** A call's code, as a reason that calls staff. */
function calling(code) {
  return { code, calls_staff: true };
}

function button(focus, kind, text, press) {
  return html`<button type="button" class="button ${kind}" data-focus=${focus} @click=${press}>${text}</button>`;
}
