/** What a staff screen shows and does, once somebody is signed in: orders, guests and calls. */

import { CallBook } from "./calls.js";
import { $, el, setText } from "./dom.js";
import { Editor } from "./editor.js";
import { FinishedOrders } from "./finished.js";
import { printTickets } from "./printing.js";
import { GuestCards } from "./guest-cards.js";
import { GuestsView } from "./guests-view.js";
import { Kitchen, announcement } from "./kitchen.js";
import { MenuIndex } from "./order-draft.js";
import { shortNumber } from "./order-view.js";
import {
  OrderBook, answerCall, arrivedPress, changeOrder, holdSession, loadOrder, sellOut, sendPress,
} from "./orders.js";
import { Presses } from "./presses.js";
import { Refusal } from "./session.js";
import { SoldOut } from "./sold-out.js";
import { texts } from "./texts.js";
import { soundOf } from "./tickets.js";

const TOAST_MS = 7_000;

export class Screen {
  #book = new OrderBook();
  #calls = new CallBook();
  #cards = new GuestCards(texts.guests.says, (session) => this.#calls.of(session) !== undefined);
  #presses;
  #kitchen;
  #guests;
  #finished;
  #soldOut;
  #editor;
  #sounds;
  #refused;
  #menu = null;
  #me = null;
  #clockOffset = 0;
  #drawing = false;
  /** Whether the orders have been loaded. Before that, the board stays empty and nothing sounds. */
  #stocked = false;

  /** `kitchen` are KitchenSettings; `setUp()` opens the settings of this screen;
   *  `refused(code, message)` is called when the server no longer takes this sign-in. */
  constructor({ sounds, kitchen, setUp, refused }) {
    this.#sounds = sounds;
    this.#refused = refused;
    this.#presses = new Presses({
      send: sendPress,
      arrived: arrivedPress,
      done: (order) => this.order(order, false),
      refused: (press, error) => this.#pressRefused(press, error),
      changed: () => this.draw(),
    });
    addEventListener("online", () => this.#presses.retry());
    this.#finished = new FinishedOrders(
      (order) => this.#presses.press({ order, kind: "recall" }),
      () => this.draw(),
    );
    this.#soldOut = new SoldOut($("sold-out"), (item, soldOut) =>
      this.#try(async () => {
        await sellOut(item.id, soldOut);
        this.setMenu(withSoldOut(this.#menu.menu, item.id, soldOut));
      }),
    );
    this.#kitchen = new Kitchen($("board"), kitchen, {
      press: (order, press) => this.#presses.press({ order, ...press }),
      presses: (id) => this.#presses.of(id),
      undoable: (id) => this.#presses.undoable(id),
      edit: (order) => this.#edit({ card: this.#cards.get(order.source?.session_id), order }),
      mayEdit: () => this.#me !== null && this.#me.role !== "kitchen",
      rush: (order) =>
        this.#try(async () => this.order(await changeOrder(order.id, { rush: !order.rush }), false)),
      print: printTickets,
      soldOut: () => this.#soldOut.open(),
      setUp,
      menu: () => this.#menu,
      categoryOf: (id) => this.#menu?.items.get(id)?.category ?? null,
      category: (id) => this.#menu?.menu.categories.find((one) => one.id === id)?.name,
      finished: this.#finished,
    });
    this.#guests = new GuestsView($("guests"), {
      answer: (call, step) => this.#answer(call, step),
      hold: (card, held) => this.#hold(card, held),
      edit: (about) => this.#edit(about),
      me: () => this.#me?.user_id,
    });
    this.#editor = new Editor($("editor"), {
      saved: (order) => this.order(order, false),
      step: (order, status, reason) => this.#step(order, status, reason),
      handBack: (card) => this.#hold(card, false),
      resolve: (call) => this.#answer(call, "resolve"),
      menu: () => this.#menu,
      explain: (error) => this.#explain(error),
    });
  }

  /** Begins anew, for the user `who`; null: nobody is signed in. */
  clear(who) {
    if (who === null) this.#presses.clear();
    this.#me = who;
    this.#stocked = false;
    this.#book.clear();
    this.#calls.clear();
    this.#cards.clear();
    this.#editor.close();
    this.draw();
  }

  /** Takes the orders that there are. From now on, what is new sounds. */
  stock(orders) {
    for (const order of orders) this.#book.apply(order);
    this.#stocked = true;
    this.draw();
  }

  /** Takes the calls that nobody has finished answering. */
  loadCalls(calls) {
    this.#calls.load(calls);
    this.draw();
  }

  setMenu(menu) {
    this.#menu = new MenuIndex(menu);
    this.#soldOut.take(menu);
    this.draw();
  }

  /** Takes an order as it is now. */
  order(order, isNew) {
    const before = this.#book.get(order.id);
    if (!this.#book.apply(order)) return;
    const now = this.#book.get(order.id);
    this.#cards.changed(now);
    this.#editor.take(now);
    if (this.#stocked) this.#noteOrder(before, now, isNew);
    this.draw();
  }

  /** Takes a call as it is now. */
  call(call) {
    if (this.#calls.apply(call) && this.#stocked) this.#sounds.play("call");
    this.draw();
  }

  /** See `GuestCards.transcript`. */
  transcript(said, at) {
    this.#cards.transcript(said, at);
    this.draw();
  }

  /** See `GuestCards.understood`. */
  understood(data, at) {
    this.#cards.understood(data, at);
    this.draw();
  }

  /** See `GuestCards.session`. */
  session(data, open, at) {
    this.#cards.session(data, open, at);
    const edited = data.session_id === this.#editor.session;
    if (edited && open && data.held_by !== this.#me?.user_id) {
      this.#editor.close();
      this.#toast(texts.editor.handedBack);
    }
    this.draw();
  }

  /** Sends what could not be sent while there was no connection. `offset`: the server's clock. */
  online(offset) {
    this.#clockOffset = offset;
    this.#presses.retry();
  }

  /** Updates what depends on time. */
  tick() {
    this.#cards.tick(this.#now());
    this.draw();
  }

  /** Draws, with whatever else happens before the next frame. */
  draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    // A page in the background gets no frames, but must not fall behind either.
    const soon = document.hidden ? setTimeout : requestAnimationFrame;
    soon(() => {
      this.#drawing = false;
      this.#drawNow();
    });
  }

  #drawNow() {
    const now = this.#now();
    const orders = this.#stocked ? this.#book.all : [];
    this.#finished.take(this.#stocked ? this.#book.finished : []);
    this.#kitchen.show(orders, now);
    const calls = this.#calls.waiting;
    this.#guests.show({ cards: this.#cards.all, calls, orders: this.#book, now });
    const { open } = this.#calls;
    setText($("attention"), open > 0 ? String(open) : "");
    $("attention").hidden = open === 0;
    document.title = open > 0 ? texts.needsYou(open) : texts.orders;
  }

  #now() {
    return Date.now() + this.#clockOffset;
  }

  #noteOrder(before, order, isNew) {
    const moved = isNew || before?.status !== order.status;
    if (moved) {
      this.#kitchen.highlight(order.id);
      setText($("announcer"), announcement(order, isNew));
    }
    const sound = soundOf(before, order);
    if (sound !== null) this.#sounds.play(sound);
  }

  #edit(about) {
    if (this.#menu === null) this.#toast(texts.reason.no_menu);
    else this.#editor.open(about);
  }

  /** Takes over a guest's session and opens its order, or hands it back. */
  async #hold(card, held) {
    const done = await this.#try(async () => {
      this.session(await holdSession(card, held), true, card.heardAt);
      if (held) this.#edit({ card, order: card.order, call: this.#calls.of(card.session) });
    });
    return done;
  }

  #answer(call, step) {
    return this.#try(async () => this.call(await answerCall(call, step)));
  }

  /** Sets an order's status; resolves to whether that is done. */
  #step(order, status, reason) {
    return this.#try(async () => this.order(await sendPress({ order, kind: "status", status, reason }), false));
  }

  async #try(change) {
    try {
      await change();
      return true;
    } catch (error) {
      if (error.status === 401) this.#refused(error.code, error.message);
      else this.#toast(this.#explain(error));
      return false;
    }
  }

  #pressRefused(press, error) {
    const name = {
      status: texts.step[press.status],
      recall: texts.kitchen.undo,
      item: texts.step.ready,
      acknowledge: texts.kitchen.acknowledge,
    }[press.kind];
    this.#toast(texts.kitchen.refused(shortNumber(press.order), name, error.message));
    loadOrder(press.order.id).then(
      (order) => this.order(order, false),
      () => undefined, // The event of the other change brings it as well.
    );
  }

  #explain(error) {
    return error instanceof Refusal ? `${error.message}.` : texts.unreachable;
  }

  #toast(text) {
    const node = el("p", { class: "toast" }, text);
    $("toasts").append(node);
    setTimeout(() => node.remove(), TOAST_MS);
  }
}

function withSoldOut(menu, id, soldOut) {
  return { ...menu, items: menu.items.map((item) => (item.id === id ? { ...item, sold_out: soldOut } : item)) };
}
