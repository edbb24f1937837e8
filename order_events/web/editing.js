/** One order while staff change it: what they have changed is saved as they go, one save at a time. */

import { same, linesOf } from "./order-draft.js";

const CHANGEABLE = ["pending", "confirmed", "preparing"];

/**
 * `api` has `change(id, change)`, `create(draft)` and `load(id)`; each resolves to the order, and
 * throws errors with a `code` if the server refuses. `changed()` is called when there is something
 * to draw, `saved(order)` when the server has the order as it is here.
 */
export class Editing {
  #api;
  #handlers;
  #saving = null;
  #again = false;
  #creation = null;

  constructor(order, source, api, handlers) {
    this.order = order;
    this.source = source;
    this.lines = linesOf(order);
    this.name = order?.customer_name ?? "";
    this.selected = null;
    this.problem = null;
    this.#api = api;
    this.#handlers = handlers;
  }

  /** Whether the server lacks something that is here. */
  get unsaved() {
    return !same(this.lines, linesOf(this.order)) || this.name !== (this.order?.customer_name ?? "");
  }

  get saving() {
    return this.#saving !== null;
  }

  /** Whether the order may still be changed. */
  get changeable() {
    return this.order === null || CHANGEABLE.includes(this.order.status);
  }

  /** Replaces the lines, and saves. */
  setLines(lines) {
    this.lines = lines;
    if (this.selected !== null && !lines.some(({ id }) => id === this.selected)) this.selected = null;
    this.save();
  }

  /** Sets for whom the order is; `save` stores it. */
  setName(name) {
    this.name = name;
    this.#handlers.changed();
  }

  select(id) {
    this.selected = id;
    this.#handlers.changed();
  }

  /** Takes the order as somebody else has changed it. Unsaved changes here are tried against it. */
  take(order) {
    if (this.order !== null && order.version <= this.order.version) return;
    if (this.saving || this.unsaved) return;
    this.#show(order);
  }

  /** Saves what is unsaved. Resolves once the server has it, or has refused it. */
  save() {
    this.problem = null;
    this.#again = true;
    this.#saving ??= this.#saveAll();
    this.#handlers.changed();
    return this.#saving;
  }

  async #saveAll() {
    try {
      while (this.#again) {
        this.#again = false;
        if (this.unsaved && this.changeable) await this.#saveOnce();
      }
    } finally {
      this.#saving = null;
      this.#handlers.changed();
    }
  }

  async #saveOnce() {
    const { lines, name, order } = this;
    try {
      if (order === null) {
        if (lines.length === 0) return;
        const draft = { ...this.source, items: lines, customer_name: name || null };
        this.order = await this.#api.create(draft, this.#keyOf(draft));
      } else {
        const items = same(lines, linesOf(order)) ? {} : { items: lines };
        const change = { ...items, customer_name: name || null, version: order.version };
        this.order = await this.#api.change(order.id, change);
      }
    } catch (error) {
      await this.#refused(error);
      return;
    }
    this.problem = null;
    // Unless somebody went on meanwhile: the server may have added the parts of a combo.
    if (same(this.lines, lines)) this.lines = linesOf(this.order);
    this.#handlers.saved(this.order);
  }

  /** The key with which a creation can be repeated: the same for the same draft. */
  #keyOf(draft) {
    const text = JSON.stringify(draft);
    if (this.#creation?.text !== text) this.#creation = { text, key: randomKey() };
    return this.#creation.key;
  }

  async #refused(error) {
    this.problem = error;
    if (error.code !== "STALE_VERSION" && error.code !== "ILLEGAL_TRANSITION") return;
    try {
      this.#show(await this.#api.load(this.order.id));
    } catch {
      // Without a connection nothing can be shown; the refusal stays.
    }
  }

  #show(order) {
    this.order = order;
    this.lines = linesOf(order);
    this.name = order.customer_name ?? "";
    this.#handlers.saved(order);
    this.#handlers.changed();
  }
}

/** `crypto.randomUUID` is missing where a page is served without https. */
function randomKey() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((n) => n.toString(16)).join("-");
}
