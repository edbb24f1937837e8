/** Why an order needs attention, as chips: what can harm first, then what needs a person. */

/** Codes with which a guest asks for a person, or says that something is wrong. */
const WAITING = ["staff_requested", "not_following", "complaint"];
const RANK = { allergy: 0, staff: 1, ask: 2, note: 3 };

function kindOf({ code, question, calls_staff }) {
  if (code === "allergy") return "allergy";
  if (calls_staff || WAITING.includes(code)) return "staff";
  return question ? "ask" : "note";
}

/**
 * The reasons as chips `{code, text, kind}`, each once, an allergy first.
 * Takes reasons of a `voice:order`, and whatever has a `code` and may have a `text`.
 */
export function chips(...sources) {
  const known = new Map();
  for (const reason of sources.flat()) {
    const text = reason.text ?? "";
    const key = `${reason.code}/${text}`;
    const kind = kindOf(reason);
    if (!known.has(key) || RANK[kind] < RANK[known.get(key).kind]) {
      known.set(key, { code: reason.code, text, kind });
    }
  }
  // A code alone says nothing where the same code comes with words.
  const worded = new Set([...known.values()].filter(({ text }) => text).map(({ code }) => code));
  return [...known.values()]
    .filter(({ code, text }) => text || !worded.has(code))
    .sort((a, b) => RANK[a.kind] - RANK[b.kind]);
}

/** What stands on an order, as reasons. */
export function attentionOf(order) {
  return (order?.attention ?? []).map((one) => ({ ...one, question: true }));
}
