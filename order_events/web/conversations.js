/** Live conversations: what guests say at each lane, and what the service understands. */

import { clock, el, keepingFocus, money, setText, words } from "./dom.js";
import { itemsView, place, shortNumber, withoutQuestion } from "./order-view.js";
import { Transcript } from "./transcript-view.js";

const KEPT = 12;
/** If nothing follows a partial for this long, it was not speech after all. */
const SILENCE_MS = 8_000;
/** A guest who spoke this recently is still at the lane. */
const PRESENT_MS = 45_000;
/** An older call for staff has been answered, or nobody is there any more. */
const STALE_MS = 15 * 60_000;

const STATUS = {
  listening: "Listening",
  clarify: "Question",
  confirmed: "Confirmed",
  needs_staff: "Needs staff",
};

/** Reason codes in words for staff. Codes that are missing here are shown as they are. */
const REASONS = {
  allergy: "Allergy",
  ambiguous_item: "Several things fit",
  ambiguous_quantity: "How many?",
  changed_by_staff: "Changed by staff",
  connection_lost: "Cut off",
  left_by_staff: "Kept as staff left it",
  low_confidence: "Not sure",
  menu_on_trial: "Menu on trial",
  missing_choice: "Choice missing",
  missing_size: "Size missing",
  no_audio: "No more audio",
  no_menu: "No menu",
  not_in_order: "Not in the order",
  not_understood: "Not understood",
  off_topic: "Off topic",
  order_cancelled: "Order cancelled",
  order_emptied: "Guest took everything back",
  order_limit: "Order too long",
  order_under_way: "Already being made",
  quantity_limit: "Unusual quantity",
  side_talk: "Side talk",
  size_not_available: "No such size",
  sold_out: "Sold out",
  staff_took_over: "Staff have it",
  staff_requested: "Asks for a person",
  too_many_choices: "Too many choices",
  unknown_item: "Not on the menu",
};

/** The reasons of a `voice:order` as list items. */
function reasonView(reason) {
  const title = REASONS[reason.code] ?? words(reason.code);
  return el(
    "li",
    { class: "reason" },
    el("strong", {}, title),
    reason.text ? ` ${reason.text}` : "",
  );
}

export class Conversations {
  #list;
  #empty;
  #onAttention;
  #onHold;
  #cards = new Map();
  #handled = new Set();

  /** Calls `onAttention(count)` with the number of conversations that need a person, and
   *  `onHold(session, held)` when somebody wants to take over a session or hand it back. */
  constructor(list, empty, onAttention, onHold) {
    this.#list = list;
    this.#empty = empty;
    this.#onAttention = onAttention;
    this.#onHold = onHold;
  }

  /** Takes the data of a `voice:transcript`; `at` is the server's time in ms. */
  transcript(said, at) {
    const card = this.#card(said.session_id, at);
    if (said.lane) this.#name(card, words(said.lane));
    if (!card.transcript.take(said)) return;
    card.heardAt = Math.max(card.heardAt, at);
    this.#speech(card);
  }

  /** Takes the data of a `voice:order`. */
  understood(data, at) {
    const card = this.#card(data.session_id, at);
    card.heardAt = Math.max(card.heardAt, at);
    card.status = data.status;
    card.statusAt = at;
    card.readback = data.readback;
    card.reasons = data.reasons;
    if (data.order !== null) this.#order(card, data.order);
    this.#fill(card);
    this.#sort();
  }

  /** Takes the data of a `voice:session` event, or a session from the HTTP API. */
  session(data, open, at) {
    const known = this.#cards.get(data.session_id);
    if (known !== undefined && data.state === "erased") {
      this.#forget(known);
      return this.#sort();
    }
    if (known !== undefined && known.version > data.version) return;
    if (known === undefined && !open) return;
    const card = known ?? this.#card(data.session_id, at);
    if (data.lane && card.order === null) this.#name(card, words(data.lane));
    Object.assign(card, { open, heldBy: data.held_by, version: data.version });
    if (!open && !card.transcript.any && card.order === null) this.#forget(card);
    else this.#fill(card);
    this.#sort();
  }

  /** Takes an order that staff or another screen changed. It may belong to a conversation. */
  changed(order) {
    const card = this.#cards.get(order.source?.session_id);
    if (card === undefined) return;
    this.#order(card, order);
    this.#fill(card);
  }

  clear() {
    this.#cards.clear();
    this.#list.replaceChildren();
    this.#sort();
  }

  /** Updates whatever depends on time. `now` is the server's time in ms. */
  tick(now) {
    for (const card of this.#cards.values()) {
      if (card.transcript.speaking && now - card.heardAt > SILENCE_MS) {
        card.transcript.hush();
        this.#speech(card);
      }
      if (this.#calls(card) && now - card.statusAt > STALE_MS) this.#handle(card);
      const present = now - card.heardAt < PRESENT_MS;
      if (present !== card.present) {
        card.present = present;
        this.#sort();
      }
    }
  }

  #card(session, at) {
    let card = this.#cards.get(session);
    if (card !== undefined) return card;
    card = this.#make(session, at);
    this.#cards.set(session, card);
    if (this.#cards.size > KEPT) this.#forget(this.#oldest());
    this.#sort();
    return card;
  }

  #make(session, at) {
    const id = `talk-${session}`;
    const parts = {
      name: el("h3", { id, class: "talk-name" }, "Guest"),
      time: el("span", { class: "talk-time" }, `since ${clock(at)}`),
      speech: el("span", { class: "speech", hidden: true }, bars(), "Speaking"),
      badge: el("span", { class: "badge" }),
      asks: el("div", { class: "asks" }),
      order: el("div", { class: "talk-order" }),
      staff: el("div", { class: "talk-staff" }),
    };
    const transcript = new Transcript("What the guest says");
    const node = el(
      "article",
      { class: "talk", "data-session": session, "aria-labelledby": id },
      el(
        "header",
        { class: "talk-head" },
        el("div", {}, parts.name, parts.time),
        el("div", { class: "talk-state" }, parts.speech, parts.badge),
      ),
      parts.asks,
      transcript.node,
      parts.order,
      parts.staff,
    );
    const card = {
      session,
      node,
      parts,
      transcript,
      startedAt: at,
      heardAt: at,
      present: true,
      statusAt: at,
      status: "listening",
      readback: "",
      reasons: [],
      order: null,
      open: false,
      heldBy: null,
      version: 0,
    };
    this.#fill(card);
    return card;
  }

  #name(card, name) {
    setText(card.parts.name, name);
  }

  #order(card, order) {
    if (card.order !== null && card.order.version > order.version) return;
    card.order = order;
    this.#name(card, place(order));
  }

  #speech(card) {
    card.parts.speech.hidden = !card.transcript.speaking;
  }

  #fill(card) {
    const { node, parts, order } = card;
    const calls = this.#calls(card);
    node.dataset.status = card.status;
    node.toggleAttribute("data-calls", calls);
    setText(parts.badge, STATUS[card.status] ?? words(card.status));
    parts.badge.dataset.status = card.status;
    parts.asks.replaceChildren(...this.#asks(card, calls));
    keepingFocus(() => parts.staff.replaceChildren(...this.#staff(card)));
    parts.order.replaceChildren(
      ...(order === null
        ? []
        : [
            el(
              "p",
              { class: "talk-order-head" },
              el("span", { class: "number" }, `#${shortNumber(order)}`),
              el("span", { class: "order-status", "data-status": order.status }, words(order.status)),
              el("span", { class: "order-total" }, money(order.total, order.currency)),
            ),
            itemsView(order, order.currency),
          ]),
    );
  }

  /** What staff should know or do: the call for staff, the question, the read-back. */
  #asks(card, calls) {
    const question = card.reasons.find((reason) => reason.question)?.question;
    const others = card.reasons.filter((reason) => !question || reason.question !== question);
    const shown = [];
    if (calls) {
      shown.push(
        el(
          "div",
          { class: "call", role: "alert" },
          el("strong", {}, "This guest needs a person"),
          el(
            "button",
            {
              type: "button",
              class: "button small",
              "data-focus": `${card.session}/call`,
              onclick: () => this.#handle(card),
            },
            "I have it",
          ),
        ),
      );
    }
    if (question) shown.push(el("p", { class: "question" }, question));
    const readback = withoutQuestion(card.readback, question);
    if (readback) shown.push(el("p", { class: "readback" }, readback));
    if (others.length > 0) {
      shown.push(el("ul", { class: "reasons", "aria-label": "Reasons" }, others.map(reasonView)));
    }
    return shown;
  }

  /** Who has the order, and the button to take it over or hand it back. */
  #staff(card) {
    if (!card.open) return [];
    const held = card.heldBy !== null;
    return [
      el("span", { class: "muted" }, held ? `Taken over by ${card.heldBy}` : ""),
      el(
        "button",
        {
          type: "button",
          class: "button small",
          "data-focus": `${card.session}/hold`,
          onclick: () => this.#onHold(card, !held),
        },
        held ? "Hand back" : "Take over",
      ),
    ];
  }

  #calls(card) {
    return card.status === "needs_staff" && !this.#handled.has(card.session);
  }

  #handle(card) {
    this.#handled.add(card.session);
    this.#fill(card);
    this.#sort();
  }

  /** Sorts: guests who are present first, then those who need a person, then the newest. */
  #sort() {
    const rank = (card) => (card.present ? 2 : 0) + (this.#calls(card) ? 1 : 0);
    const cards = [...this.#cards.values()].sort(
      (a, b) => rank(b) - rank(a) || b.startedAt - a.startedAt,
    );
    keepingFocus(() =>
      cards.forEach(({ node }, i) => {
        if (this.#list.children[i] !== node) this.#list.insertBefore(node, this.#list.children[i]);
      }),
    );
    this.#empty.hidden = cards.length > 0;
    this.#onAttention(cards.filter((card) => this.#calls(card)).length);
  }

  #oldest() {
    return [...this.#cards.values()].reduce((a, b) => (a.heardAt <= b.heardAt ? a : b));
  }

  #forget(card) {
    this.#cards.delete(card.session);
    this.#handled.delete(card.session);
    card.node.remove();
  }
}

/** Moving bars that show that somebody is speaking. */
function bars() {
  return el("span", { class: "bars", "aria-hidden": "true" }, el("i"), el("i"), el("i"), el("i"));
}
