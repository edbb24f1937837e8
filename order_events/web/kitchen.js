/** The kitchen display: a column per status, a ticket per order, a button for the next step. */

import { el, elapsed, keepingFocus, setText, words } from "./dom.js";
import { itemsView, place, shortNumber } from "./order-view.js";
import { ACTIVE, STEPS } from "./orders.js";

const COLUMNS = {
  pending: "Incoming",
  confirmed: "To make",
  preparing: "Preparing",
  ready: "Ready",
  "picked-up": "Picked up",
};
const EMPTY = {
  pending: "Nobody is ordering",
  confirmed: "Nothing to make",
  preparing: "Nothing on the stove",
  ready: "Nothing waiting",
  "picked-up": "Nothing to settle",
};
const ACTIONS = {
  confirmed: "Confirm",
  preparing: "Start",
  ready: "Ready",
  "picked-up": "Picked up",
  completed: "Complete",
};
/** Statuses in which the kitchen's clock runs. A ready order waits for the guest, not the kitchen. */
const COOKING = ["pending", "confirmed", "preparing"];
const MINUTE = 60_000;

export class Kitchen {
  #step;
  #columns = new Map();
  #tickets = new Map();
  #cancelling = null;

  /** Calls `step(order, status)` to change an order's status; its promise resolves when that is done. */
  constructor(root, step) {
    this.#step = step;
    const tabs = el("div", { class: "steps", role: "group", "aria-label": "Show orders that are" });
    const board = el("div", { class: "board" });
    for (const status of ACTIVE) {
      const column = this.#makeColumn(status);
      this.#columns.set(status, column);
      tabs.append(column.tab);
      board.append(column.section);
    }
    root.replaceChildren(tabs, board);
    this.#choose("confirmed");
  }

  /** Shows an order, or removes a finished one from the board. `fresh`: highlight it. */
  show(order, fresh) {
    keepingFocus(() => {
      const column = this.#columns.get(order.status);
      if (column === undefined) {
        this.#remove(order.id);
      } else {
        const ticket = this.#tickets.get(order.id) ?? this.#makeTicket(order.id);
        const moved = ticket.order?.status !== order.status;
        ticket.order = order;
        this.#fill(ticket);
        if (moved) this.#place(ticket, column);
        if (fresh) this.#highlight(ticket.node);
      }
      this.#count();
    });
  }

  clear() {
    for (const id of [...this.#tickets.keys()]) this.#remove(id);
    this.#count();
  }

  /** Updates the clocks. `now` is the server's time in ms. */
  tick(now) {
    for (const { order, age } of this.#tickets.values()) {
      const cooking = COOKING.includes(order.status);
      const since = cooking ? order.created_at : order.status_times[order.status];
      const ms = now - Date.parse(since ?? order.updated_at);
      setText(age, elapsed(ms));
      const allowed = Math.max(order.prep_time, 1) * MINUTE;
      const late = cooking && ms > allowed ? (ms > 2 * allowed ? "late" : "due") : "fine";
      if (age.dataset.late !== late) age.dataset.late = late;
    }
  }

  #makeColumn(status) {
    const count = el("span", { class: "count" }, "0");
    const tabCount = el("span", { class: "count" }, "0");
    const list = el("div", { class: "tickets" });
    const empty = el("p", { class: "empty" }, EMPTY[status]);
    const id = `column-${status}`;
    const section = el(
      "section",
      { class: "column", "data-status": status, "aria-labelledby": id },
      el("h3", { id, class: "column-head" }, COLUMNS[status], count),
      empty,
      list,
    );
    const tab = el(
      "button",
      { type: "button", class: "step", "data-status": status, onclick: () => this.#choose(status) },
      COLUMNS[status],
      tabCount,
    );
    return { section, list, empty, tab, counts: [count, tabCount] };
  }

  /** On a narrow screen one column is shown at a time. */
  #choose(status) {
    for (const [name, { tab, section }] of this.#columns) {
      tab.setAttribute("aria-pressed", String(name === status));
      section.toggleAttribute("data-chosen", name === status);
    }
  }

  #makeTicket(id) {
    const age = el("span", { class: "age", title: "Time since the order came in" });
    const node = el("article", { class: "ticket", "data-order": id });
    const ticket = { node, age, order: null };
    this.#tickets.set(id, ticket);
    return ticket;
  }

  #fill(ticket) {
    const { node, age, order } = ticket;
    const heading = `ticket-${order.id}`;
    node.dataset.status = order.status;
    node.setAttribute("aria-labelledby", heading);
    node.replaceChildren(
      el(
        "header",
        { class: "ticket-head" },
        el(
          "h4",
          { id: heading },
          el("span", { class: "number" }, `#${shortNumber(order)}`),
          el("span", { class: "place" }, place(order)),
        ),
        age,
      ),
      order.customer_name ? el("p", { class: "customer" }, order.customer_name) : "",
      itemsView(order),
      order.notes ? el("p", { class: "notes" }, order.notes) : "",
      this.#makeFoot(ticket),
    );
  }

  #makeFoot(ticket) {
    const { order } = ticket;
    const [next, ...others] = STEPS[order.status];
    const number = shortNumber(order);
    const button = (status, kind, text, label) =>
      el(
        "button",
        {
          type: "button",
          class: `button ${kind}`,
          "data-focus": `${order.id}/${status === "cancelled" ? "cancel" : "next"}`,
          "data-to": status,
          "aria-label": `${label}, order ${number}`,
          onclick: () => this.#take(ticket, status),
        },
        text,
      );
    const prep = order.prep_time > 0 ? `${order.prep_time} min to make` : "";
    // While a guest is still speaking, the guest confirms the order. Staff rarely have to.
    const kind = order.status === "pending" ? "secondary" : "primary";
    return el(
      "footer",
      { class: "ticket-foot" },
      el("span", { class: "prep" }, prep),
      others.includes("cancelled")
        ? button("cancelled", "quiet small", ...this.#cancelTexts(order.id))
        : null,
      button(next, `${kind} next`, ACTIONS[next], ACTIONS[next]),
    );
  }

  #cancelTexts(id) {
    return this.#cancelling === id
      ? ["Really cancel?", "Press again to cancel"]
      : ["Cancel", "Cancel"];
  }

  async #take(ticket, status) {
    if (ticket.node.getAttribute("aria-busy") === "true") return;
    const { order } = ticket;
    if (status === "cancelled" && this.#cancelling !== order.id) {
      this.#ask(order.id);
      return;
    }
    this.#ask(null);
    // Not `disabled`, which would remove the keyboard focus.
    ticket.node.setAttribute("aria-busy", "true");
    try {
      await this.#step(order, status);
    } finally {
      ticket.node.removeAttribute("aria-busy");
    }
  }

  /** Sets which ticket waits for a second press on "Cancel". */
  #ask(id) {
    const before = this.#cancelling;
    this.#cancelling = id;
    keepingFocus(() => {
      for (const one of new Set([before, id])) {
        const ticket = this.#tickets.get(one);
        if (ticket !== undefined) this.#fill(ticket);
      }
    });
    if (id !== null) {
      setTimeout(() => this.#cancelling === id && this.#ask(null), 5_000);
    }
  }

  /** Inserts a ticket by age, the oldest first. */
  #place(ticket, column) {
    const later = [...column.list.children].find((node) => {
      const other = this.#tickets.get(node.dataset.order);
      return other !== ticket && other.order.created_at > ticket.order.created_at;
    });
    column.list.insertBefore(ticket.node, later ?? null);
  }

  #highlight(node) {
    node.classList.remove("fresh");
    // Reading a size makes the browser notice that the class was removed, so the animation restarts.
    void node.offsetWidth;
    node.classList.add("fresh");
  }

  #remove(id) {
    this.#tickets.get(id)?.node.remove();
    this.#tickets.delete(id);
  }

  #count() {
    for (const { list, empty, counts } of this.#columns.values()) {
      for (const count of counts) setText(count, String(list.childElementCount));
      empty.hidden = list.childElementCount > 0;
    }
  }
}

/** The text that a screen reader announces when an order changes. */
export function announcement(order, isNew) {
  const number = shortNumber(order);
  if (!isNew) return `Order ${number}: ${words(order.status)}`;
  const items = order.items.reduce((sum, item) => sum + item.quantity, 0);
  return `New order ${number}, ${place(order)}, ${items} ${items === 1 ? "item" : "items"}`;
}
