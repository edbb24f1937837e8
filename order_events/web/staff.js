/** The staff page: signs in, follows the restaurant's events and shows them. */

import { Conversations } from "./conversations.js";
import { $, clock, el, keepAwake, money, setText, words } from "./dom.js";
import { connectEvents } from "./events.js";
import { Kitchen, announcement } from "./kitchen.js";
import { place, shortNumber } from "./order-view.js";
import { OrderBook, holdSession, loadOrder, loadOrders, loadSessions, setStatus } from "./orders.js";
import { Refusal, address, ask, currentToken, keepToken, takeFragment } from "./session.js";

const VIEW = "voice-ordering.view";
const WIDE = matchMedia("(min-width: 93.75rem)");
const ORDER_EVENTS = ["order:created", "order:updated"];
const VOICE_EVENTS = ["voice:transcript", "voice:order", "voice:session"];
/** Roles whose screens do not show what guests say. */
const NO_VOICE = ["kitchen"];
const RETRY_MS = 3_000;
/** How many past events a new page asks for, so that it does not start empty. */
const HISTORY = 300;
/** Events within this many ms of each other arrive as one message. */
const BATCH_MS = 60;
/** A server that is silent for this long is asked whether it is there, and has 4 s to answer. */
const SILENCE_MS = 5_000;
const TOAST_MS = 7_000;
/** No guest's visit lasts longer than this. */
const LONG_AGO_MS = 15 * 60_000;

const book = new OrderBook();
const kitchen = new Kitchen($("board"), takeStep);
const conversations = new Conversations($("talks"), $("no-conversations"), attention, hold);

let feed = null;
let clockOffset = 0;
let link = { name: "closed" };
let lostAt = null;
/** Whether the orders have been loaded from the server. Before that, the board stays empty. */
let stocked = false;

const fragment = takeFragment();
if (fragment.get("view")) sessionStorage.setItem(VIEW, fragment.get("view"));
addEventListener("hashchange", () => {
  const given = takeFragment();
  if (given.get("token")) start();
});
$("signin-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken($("token").value.trim());
  $("signin-form").reset();
  start();
});
$("signout").addEventListener("click", () => signOut(null));
$("renewal").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = $("renewal-token").value.trim();
  $("renewal").reset();
  $("renewal").hidden = true;
  keepToken(token);
  feed?.renew();
});
$("views").addEventListener("click", (event) => {
  const view = event.target.closest("[data-view]")?.dataset.view;
  if (view === undefined) return;
  sessionStorage.setItem(VIEW, view);
  showView(view);
});
setInterval(tick, 1_000);
if (currentToken() === null) signOut(null);
else start();

function start() {
  feed?.close();
  stocked = false;
  book.clear();
  kitchen.clear();
  conversations.clear();
  $("signin").hidden = true;
  $("app").hidden = false;
  feed = connectEvents({
    url: address(""),
    token: currentToken,
    silence: SILENCE_MS,
    subscribe: ({ role }) => ({
      events: NO_VOICE.includes(role) ? ORDER_EVENTS : [...ORDER_EVENTS, ...VOICE_EVENTS],
      batch_ms: BATCH_MS,
    }),
    since: ({ epoch, seq }) => ({ epoch, seq: Math.max(0, seq - HISTORY) }),
    // Not awaited: events are applied while the state is still being loaded.
    onStart: (position, who) => void takeStock(who),
    onHistoryLost: (position, who) => void takeStock(who),
    onEvent: (event) => {
      try {
        take(event);
      } catch (error) {
        // A screen that shows one event wrongly must still show the next.
        reportError(error);
      }
    },
    onEnd: ({ code, message }) => refused(code, message),
    onState: showConnection,
    onExpiring: (time) => {
      setText($("renewal-text"), `Your sign-in expires at ${clock(time)}. Paste a new token to stay signed in:`);
      $("renewal").hidden = false;
    },
  });
}

/** Returns to the sign-in. `problem` is the reason, or null if the user asked for it. */
function signOut(problem) {
  feed?.close();
  feed = null;
  keepToken(null);
  $("app").hidden = true;
  $("signin").hidden = false;
  $("renewal").hidden = true;
  $("signin-problem").hidden = problem === null;
  setText($("signin-problem"), problem ?? "");
  $("token").focus();
  document.title = "Orders";
}

function refused(code, message) {
  signOut(
    code === "FORBIDDEN"
      ? "This token is for a microphone or another service. Use a staff token here."
      : `Please sign in again: ${message || "the token was not accepted"}.`,
  );
}

/** Loads everything from the server: on the first connection, or when history was lost. */
async function takeStock(who) {
  const mine = feed;
  stocked = false;
  book.clear();
  kitchen.clear();
  conversations.clear();
  setText($("who"), `${who.user_id}, ${words(who.role).toLowerCase()}`);
  setText($("restaurant"), words(who.restaurant_id));
  const mayHear = !NO_VOICE.includes(who.role);
  $("views").hidden = !mayHear;
  showView(mayHear ? (sessionStorage.getItem(VIEW) ?? (WIDE.matches ? "both" : "conversations")) : "kitchen");
  keepAwake();
  ask("v1/menu").then(
    ({ menu }) => mine === feed && setText($("restaurant"), menu.name),
    () => undefined, // The restaurant's id is shown already. It may not have a menu yet.
  );
  if (mayHear) {
    loadSessions().then(
      (open) => mine === feed && open.forEach(greet),
      () => undefined, // Sessions will appear as soon as something happens in them.
    );
  }
  const orders = await untilLoaded(mine);
  if (orders === null) return;
  for (const order of orders) book.apply(order);
  stocked = true;
  for (const order of book.all) kitchen.show(order, false);
  showFinished();
  tick();
}

/** Loads all orders, retrying until it succeeds. Returns null if this sign-in has ended. */
async function untilLoaded(mine) {
  while (mine === feed) {
    try {
      const orders = await loadOrders();
      return mine === feed ? orders : null;
    } catch (error) {
      if (error instanceof Refusal && (error.status === 401 || error.status === 403)) {
        if (mine === feed) refused(error.code, error.message);
        return null;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  return null;
}

function take({ type, data, timestamp }) {
  if (data.redacted) return;
  const at = Date.parse(timestamp);
  if (type === "voice:transcript") conversations.transcript(data, at);
  else if (type === "voice:order") conversations.understood(data, at);
  else if (type === "voice:session") conversations.session(data, !["ended", "erased"].includes(data.state), at);
  else takeOrder(data.order, type === "order:created");
}

function takeOrder(order, isNew) {
  const before = book.get(order.id)?.status;
  if (!book.apply(order)) return;
  conversations.changed(order);
  if (!stocked) return;
  kitchen.show(order, isNew || before !== order.status);
  showFinished();
  if (isNew || before !== order.status) setText($("announcer"), announcement(order, isNew));
  tick();
}

/** Shows a session that was open before this page. Very old ones are skipped: they never got an end. */
function greet(session) {
  const at = Date.parse(session.started_at);
  if (Date.now() + clockOffset - at < LONG_AGO_MS) conversations.session(session, true, at);
}

/** Takes over a guest's session, or hands it back. */
async function hold(card, held) {
  try {
    conversations.session(await holdSession(card, held), true, card.heardAt);
  } catch (error) {
    const refusal = error instanceof Refusal;
    if (refusal && error.status === 401) return refused(error.code, error.message);
    toast(refusal ? `${error.message}.` : "The server cannot be reached. Nothing was changed.");
  }
}

async function takeStep(order, status) {
  try {
    takeOrder(await setStatus(order, status), false);
  } catch (error) {
    const refusal = error instanceof Refusal;
    if (refusal && error.status === 401) return refused(error.code, error.message);
    toast(
      refusal
        ? `Order ${shortNumber(order)}: ${error.message}`
        : `The server cannot be reached. Order ${shortNumber(order)} was not changed.`,
    );
    if (refusal && error.status === 409) {
      await loadOrder(order.id).then((now) => takeOrder(now, false), () => undefined);
    }
  }
}

function showFinished() {
  const finished = book.finished;
  setText($("finished-count"), String(finished.length));
  $("finished").hidden = finished.length === 0;
  $("finished-list").replaceChildren(
    ...finished.map((order) =>
      el(
        "li",
        { "data-status": order.status },
        el("span", { class: "number" }, `#${shortNumber(order)}`),
        el("span", {}, place(order)),
        el("span", { class: "order-status", "data-status": order.status }, words(order.status)),
        el("span", { class: "muted" }, clock(order.updated_at)),
        el("span", { class: "muted" }, money(order.total, order.currency)),
      ),
    ),
  );
}

function showConnection(state) {
  link = state;
  if (state.name === "online") {
    clockOffset = state.serverTime - Date.now();
    lostAt = null;
  } else if (state.name === "waiting") {
    lostAt ??= Date.now();
  }
  $("connection").dataset.state = state.name;
  tick();
}

function tick() {
  const now = Date.now() + clockOffset;
  kitchen.tick(now);
  conversations.tick(now);
  const texts = { online: "Live", connecting: "Connecting", waiting: "Reconnecting", closed: "Signed out" };
  setText($("connection-text"), texts[link.name]);
  $("outage").hidden = lostAt === null;
  if (lostAt !== null) {
    const seconds = Math.max(0, Math.ceil(((link.until ?? 0) - Date.now()) / 1000));
    const next = link.name === "waiting" && seconds > 0 ? `trying again in ${seconds} s` : "trying now";
    setText(
      $("outage"),
      `No connection since ${clock(lostAt)}: ${next}. Nothing is lost. What you missed will appear here.`,
    );
  }
}

function showView(view) {
  const known = ["conversations", "kitchen", "both"].includes(view) ? view : "conversations";
  $("main").dataset.view = known;
  for (const button of $("views").querySelectorAll("[data-view]")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === known));
  }
}

function attention(count) {
  setText($("attention"), count > 0 ? String(count) : "");
  $("attention").hidden = count === 0;
  document.title = count > 0 ? `(${count}) Orders – a guest needs you` : "Orders";
}

function toast(text) {
  const node = el("p", { class: "toast" }, text);
  $("toasts").append(node);
  setTimeout(() => node.remove(), TOAST_MS);
}
