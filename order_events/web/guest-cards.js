/** The guests at the lanes: what is known of each session. */

import { Transcript } from "./transcript-view.js";

/** Most guests who are kept. Those who have a call, or whose session is open, always are. */
const KEPT = 12;
/** If nothing follows a partial for this long, it was not speech after all. */
const SILENCE_MS = 8_000;

/** Cards by session. `needed(session)` says whether somebody still has to look at a guest. */
export class GuestCards {
  #cards = new Map();
  #needed;
  #label;

  constructor(label, needed) {
    this.#label = label;
    this.#needed = needed;
  }

  /** The cards: guests who are there, in the order in which they came, then those who have finished,
   *  the latest first. So a new guest moves no card of another who is there. */
  get all() {
    return [...this.#cards.values()].sort(
      (a, b) => b.open - a.open || (a.open ? a.startedAt - b.startedAt : b.startedAt - a.startedAt),
    );
  }

  get(session) {
    return this.#cards.get(session);
  }

  /** Takes the data of a `voice:transcript`; `at` is the server's time in ms. */
  transcript(said, at) {
    const card = this.#card(said.session_id, at);
    card.lane ??= said.lane ?? null;
    if (card.transcript.take(said)) card.heardAt = Math.max(card.heardAt, at);
  }

  /** Takes the data of a `voice:order`. */
  understood(data, at) {
    const card = this.#card(data.session_id, at);
    card.heardAt = Math.max(card.heardAt, at);
    Object.assign(card, { status: data.status, readback: data.readback, reasons: data.reasons });
    if (data.order !== null) this.#order(card, data.order);
  }

  /** Takes the data of a `voice:session` event, or a session from the HTTP API. */
  session(data, open, at) {
    const known = this.#cards.get(data.session_id);
    if (data.state === "erased") return this.#cards.delete(data.session_id);
    if (known !== undefined && known.version > data.version) return false;
    if (known === undefined && !open) return false;
    const card = known ?? this.#card(data.session_id, at);
    card.lane ??= data.lane ?? null;
    Object.assign(card, { open, heldBy: data.held_by, version: data.version });
    if (!open && !card.transcript.any && card.order === null) this.#cards.delete(card.session);
    return true;
  }

  /** Takes an order that staff or another screen changed. It may belong to a guest. */
  changed(order) {
    const card = this.#cards.get(order.source?.session_id);
    if (card !== undefined) this.#order(card, order);
  }

  clear() {
    this.#cards.clear();
  }

  /** Hides partials that were no speech after all. `now` is the server's time in ms. */
  tick(now) {
    for (const card of this.#cards.values()) {
      if (card.transcript.speaking && now - card.heardAt > SILENCE_MS) card.transcript.hush();
    }
  }

  #card(session, at) {
    let card = this.#cards.get(session);
    if (card !== undefined) return card;
    card = {
      session,
      transcript: new Transcript(this.#label),
      startedAt: at,
      heardAt: at,
      status: "listening",
      readback: "",
      reasons: [],
      order: null,
      lane: null,
      open: false,
      heldBy: null,
      version: 0,
    };
    this.#cards.set(session, card);
    this.#evict();
    return card;
  }

  #order(card, order) {
    if (card.order === null || card.order.version <= order.version) card.order = order;
  }

  #evict() {
    const over = this.#cards.size - KEPT;
    if (over <= 0) return;
    const free = this.all.filter((card) => !card.open && !this.#needed(card.session));
    for (const { session } of free.slice(-over)) this.#cards.delete(session);
  }
}
