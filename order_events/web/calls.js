/** The calls for staff that have not been answered, as the server has them. */

/** Above this, answered calls are forgotten. */
const KEPT = 500;

/** Calls by id. An older version never replaces a newer one. */
export class CallBook {
  #calls = new Map();

  /** Takes a call; returns whether it is one that nobody knew of here. */
  apply(call) {
    const known = this.#calls.get(call.id);
    if (known !== undefined && known.version >= call.version) return false;
    this.#calls.set(call.id, call);
    if (this.#calls.size > KEPT) this.#forget();
    return known === undefined && call.state === "open";
  }

  /** Takes what the server lists; what events have said since stays. */
  load(calls) {
    for (const call of calls) this.apply(call);
  }

  #forget() {
    for (const { id, state } of this.#calls.values()) {
      if (state === "resolved") this.#calls.delete(id);
    }
  }

  clear() {
    this.#calls.clear();
  }

  /** Unanswered calls in the order in which to answer them: the most urgent, then the oldest. */
  get waiting() {
    return [...this.#calls.values()]
      .filter(({ state }) => state !== "resolved")
      .sort((a, b) => b.urgency - a.urgency || a.since.localeCompare(b.since) || a.id.localeCompare(b.id));
  }

  /** The unanswered call of a session, or undefined. */
  of(session) {
    return this.waiting.find(({ session_id }) => session_id === session);
  }

  /** How many calls nobody answers yet. */
  get open() {
    return this.waiting.filter(({ state }) => state === "open").length;
  }
}
