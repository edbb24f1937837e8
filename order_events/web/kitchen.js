/** The kitchen's board: one grid of tickets, what to make first coming first. */

import { keepingFocus, setText } from "./dom.js";
import { listenToKeys } from "./bump-bar.js";
import { boardView } from "./board-view.js";
import { Keyed, Steady } from "./keyed.js";
import { render } from "./lit-html.js";
import { place, shortNumber } from "./order-view.js";
import { stationTicket } from "./stations.js";
import { texts } from "./texts.js";
import { showAge, ticketView } from "./ticket-view.js";
import { TABS, allDay, byAge, isUnder, split, ticketOf } from "./tickets.js";

/** How long a ticket asks whether it is really meant, in ms. */
const ASKING_MS = 8_000;
/** How long a new or moved ticket is highlighted, in ms. */
const FRESH_MS = 2_500;
/** How long what a station has done stays to be undone, in ms. */
const UNDO_MS = 5_000;
/** Tickets that have a number key: 1 to 9, then 0. */
const KEYS = 10;
/** What a ticket takes besides its lines, and what a line takes, in rows and in ems. */
const FRAME_ROWS = 4.5;
const ROW_EM = 2.4;
/** A ticket that is not as high has no room for what it may ask, in ems. */
const SHORT_EM = 15;
/** A ticket of fewer rows is never split. */
const LEAST_ROWS = 5;

export class Kitchen {
  #root;
  #rows = new Keyed("article", "ticket");
  #steady;
  #handlers;
  #settings;
  #tab = "all";
  #asking = new Map();
  #tickets = new WeakMap();
  #fresh = new Map();
  #stationUndo = new Map();
  #orders = [];
  #now = 0;
  #lastPressed = null;

  /** Handlers: `press(order, press)`, `presses(id)`, `undoable(id)`, `edit(order)`, `rush(order)`,
   *  `print(order)`, `soldOut()`, `menu()`, `categoryOf(item)`, `category(id)` and `mayEdit()`, whether this
   *  role may change orders. `finished` is the view of finished orders. */
  constructor(root, settings, handlers) {
    this.#root = root;
    this.#settings = settings;
    this.#handlers = handlers;
    this.#steady = new Steady(root, ".ticket");
    new ResizeObserver(() => this.#draw()).observe(root);
    listenToKeys({
      active: () => this.#settings.keys && root.offsetParent !== null,
      ticket: (n) => this.#pressTicket(n),
      move: (by) => this.#moveFocus(by),
      undo: () => this.#undoLast(),
      page: (by) => this.#page(by),
    });
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
    const tickets = this.#orders.map((order) => this.#ticket(order)).sort(byAge);
    const shown = tickets.filter((ticket) => isUnder(ticket, this.#tab));
    const counts = Object.fromEntries(
      TABS.map((tab) => [tab, tickets.filter((ticket) => isUnder({ ...ticket, undoing: false }, tab)).length]),
    );
    render(this.#frame(shown, tickets, counts), this.#root);
    this.#root.dataset.size = this.#settings.size;
    const room = this.#room();
    keepingFocus(() => {
      this.#rows.begin();
      this.#rows.place(
        this.#root.querySelector(".board"),
        shown.flatMap((ticket, i) => this.#parts(ticket, i, room)),
      );
      this.#rows.end();
    });
    this.#steady.watch();
    this.#showPages();
  }

  #frame(shown, tickets, counts) {
    const { stations } = this.#settings;
    return boardView({
      tab: this.#tab,
      counts,
      empty: shown.length === 0,
      stations: stations.map((id) => this.#handlers.category(id)).filter(Boolean),
      allDay: this.#settings.allDay ? allDay(tickets) : null,
      finished: this.#handlers.finished,
      choose: (tab) => {
        this.#tab = tab;
        this.#draw();
      },
      page: (by) => this.#page(by),
      toggleAllDay: () => this.#settings.set({ allDay: !this.#settings.allDay }),
      soldOut: () => this.#handlers.soldOut(),
      setUp: () => this.#handlers.setUp(),
    });
  }

  /** The ticket of an order as this screen sees it, worked out again only if something of it changed. */
  #ticket(order) {
    const undoing = this.#handlers.undoable(order.id);
    const { stations } = this.#settings;
    const doing = (this.#stationUndo.get(order.id) ?? 0) > Date.now();
    const from = [undoing, stations, doing, this.#handlers.menu()];
    const known = this.#tickets.get(order);
    if (known?.from.every((part, i) => part === from[i])) return known.ticket;
    const whole = ticketOf(order, undoing);
    const { categoryOf } = this.#handlers;
    const ticket = stations.length > 0 ? stationTicket(whole, stations, categoryOf, doing) : whole;
    this.#tickets.set(order, { from, ticket });
    return ticket;
  }

  /** How many rows of text fit into a column. */
  #room() {
    const board = this.#root.querySelector(".board");
    if (getComputedStyle(board).columnWidth === "auto") return Infinity;
    const em = parseFloat(getComputedStyle(board).fontSize);
    return Math.max(LEAST_ROWS, board.clientHeight / (ROW_EM * em) - FRAME_ROWS);
  }

  #parts(ticket, i, room) {
    const { order } = ticket;
    const about = ticket.chips.length + (order.notes ? 2 : 0) + (order.customer_name ? 1 : 0);
    const key = this.#settings.keys && i < KEYS ? String((i + 1) % KEYS) : null;
    const parts = split(ticket.lines, room, Math.min(about, room / 2));
    return parts.map((shown, n) => this.#row({ ...ticket, shown, key, part: n + 1, ofParts: parts.length }));
  }

  #row(ticket) {
    const { order, part, ofParts } = ticket;
    const state = {
      ...ticket,
      asking: this.#asked(order),
      waiting: this.#handlers.presses(order.id),
      undo: this.#handlers.undoable(order.id),
      fresh: (this.#fresh.get(order.id) ?? 0) > Date.now(),
    };
    const waits = state.waiting.map(({ kind, item, tried }) => `${kind}${item ?? ""}${tried}`);
    const seen = state.shown.map(({ item }) => item.id);
    const mark = [
      order.version, state.stage, state.asking, waits, state.undo, state.fresh, state.key, part, ofParts, seen,
      state.undoing,
    ];
    return {
      key: `${order.id}/${part}`,
      mark: mark.join("|"),
      draw: (node) => {
        node.dataset.order = order.id;
        node.dataset.status = order.status;
        node.setAttribute("aria-labelledby", `ticket-${order.id}-${part}`);
        node.setAttribute("aria-busy", String(state.waiting.some(({ tried }) => !tried)));
        node.classList.toggle("fresh", state.fresh);
        node.classList.toggle("blocked", state.blocked);
        node.classList.toggle("gone", state.gone);
        node.classList.toggle("hurried", order.rush ?? false);
        return ticketView(state, this.#actionsOf(state));
      },
      touch: (node) => showAge(node, order, this.#now, this.#settings.limits),
    };
  }

  #actionsOf(state) {
    const { order } = state;
    return {
      ask: (what) => this.#ask(order, what),
      press: (press) => this.#press(order, press),
      station: (done) => this.#station(state, done),
      edit: () => this.#handlers.edit(order),
      rush: () => this.#handlers.rush(order),
      print: () => this.#handlers.print(order),
      mayEdit: this.#handlers.mayEdit(),
    };
  }

  #press(order, press) {
    if (press.kind === "status") this.#lastPressed = order.id;
    this.#handlers.press(order, press);
  }

  /** Marks what this station makes of an order as done, or as open again. */
  #station({ order, lines, open }, done) {
    const items = done ? open : lines.map(({ item }) => item).filter(({ status }) => status === "done");
    for (const { id } of items) {
      this.#handlers.press(order, { kind: "item", item: id, status: done ? "done" : "open" });
    }
    if (done) this.#stationUndo.set(order.id, Date.now() + UNDO_MS);
    else this.#stationUndo.delete(order.id);
    this.#draw();
    setTimeout(() => this.#draw(), UNDO_MS + 50);
  }

  /** Presses the button of the ticket with a number, unless it has just moved there. */
  #pressTicket(n) {
    const shown = [...this.#root.querySelectorAll(".ticket:has(.next)")];
    const key = String((n + 1) % KEYS);
    const ticket = shown.find((node) => node.querySelector(".key")?.textContent === key);
    if (ticket === undefined || ticket.hasAttribute("data-moving")) return;
    ticket.querySelector(".next").click();
  }

  #moveFocus(by) {
    const buttons = [...this.#root.querySelectorAll(".ticket .next")];
    const at = buttons.indexOf(document.activeElement);
    const next = buttons[at < 0 ? 0 : Math.min(Math.max(at + by, 0), buttons.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #undoLast() {
    const order = this.#orders.find(({ id }) => id === this.#lastPressed);
    if (order !== undefined && this.#handlers.undoable(order.id)) this.#press(order, { kind: "recall" });
  }

  #page(by) {
    const board = this.#root.querySelector(".board");
    board.scrollBy({ left: by * board.clientWidth * 0.9, top: 0, behavior: "smooth" });
    setTimeout(() => this.#showPages(), 400);
  }

  /** Says how many tickets there are beyond the edge of the board. */
  #showPages() {
    const board = this.#root.querySelector(".board");
    const { left, right } = board.getBoundingClientRect();
    const places = [...board.children].map((node) => node.getBoundingClientRect());
    const before = places.filter((place) => place.left < left - 1).length;
    const after = places.filter((place) => place.right > right + 1).length;
    const pages = this.#root.querySelector(".pages");
    pages.hidden = before + after === 0;
    setText(pages.querySelector(".before-count"), before > 0 ? String(before) : "");
    setText(pages.querySelector(".after-count"), after > 0 ? String(after) : "");
  }

  #asked(order) {
    const asked = this.#asking.get(order.id);
    return asked && asked.until > Date.now() && asked.status === order.status ? asked.what : null;
  }

  /** What a ticket asks lies over its lines, so that it does not move into the next column. Only a
   *  short one at the top of a column grows: there it stays where it is. */
  #makeRoom(order) {
    const board = this.#root.querySelector(".board");
    const top = board.getBoundingClientRect().top + parseFloat(getComputedStyle(board).fontSize);
    for (const node of board.querySelectorAll(".ticket")) {
      if (node.dataset.order !== order.id || node.querySelector(".asking")) continue;
      const short = node.offsetHeight < SHORT_EM * parseFloat(getComputedStyle(node).fontSize);
      node.toggleAttribute("data-grows", short && node.getBoundingClientRect().top < top);
    }
  }

  /** Lets a ticket ask something (`more`, `cancel`, `confirm`), or nothing any more. */
  #ask(order, what) {
    if (what === null) this.#asking.delete(order.id);
    else {
      this.#makeRoom(order);
      this.#asking.set(order.id, { what, status: order.status, until: Date.now() + ASKING_MS });
    }
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
