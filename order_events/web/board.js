/** The customers' board: follows the kitchen and shows the numbers being made and ready. */

import { numbersOf, sizeOf } from "./board-model.js";
import { $, keepAwake } from "./dom.js";
import { connectEvents } from "./events.js";
import { keepShell } from "./install.js";
import { html, nothing, render } from "./lit-html.js";
import { OrderBook, loadStatus } from "./orders.js";
import { address, ask, opensAt, takeFragment, token } from "./session.js";
import { Sounds } from "./sounds.js";
import { fillTexts, texts } from "./texts.js";

/** A number that has just become ready is pointed out for so long, in ms. */
const NEW_MS = 12_000;
/** A server that is silent for so long is asked whether it is there, in ms. */
const SILENCE_MS = 5_000;
/** Staff leave the board by holding the restaurant's name for so long, in ms. */
const HOLD_MS = 2_000;
const RETRY_MS = 3_000;
const SHOWN = ["confirmed", "preparing", "ready"];

takeFragment();
fillTexts(document);
void keepShell();
document.title = texts.board.title;
opensAt("board");

const book = new OrderBook();
const sounds = new Sounds();
const fresh = new Map();
let name = "";
let clockOffset = 0;
let live = true;
let stocked = false;
let problem = null;

for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, () => sounds.wake());
setInterval(draw, 1_000);
keepAwake();
draw();
connectEvents({
  url: address(""),
  token,
  silence: SILENCE_MS,
  subscribe: { events: ["kds:update", "menu:updated"] },
  onStart: () => void takeStock(),
  onHistoryLost: () => void takeStock(),
  onEvent: ({ type, data }) => {
    if (type === "menu:updated") void takeName();
    else for (const order of data.orders) take(order);
    draw();
  },
  onEnd: ({ message }) => {
    problem = texts.board.ended(message);
    draw();
  },
  onState: (state) => {
    if (state.name === "online") clockOffset = state.serverTime - Date.now();
    live = state.name === "online";
    draw();
  },
});

function take(order) {
  const before = book.get(order.id)?.status;
  if (!book.apply(order) || order.status !== "ready" || before === "ready" || !stocked) return;
  fresh.set(order.id, Date.now() + NEW_MS);
  sounds.play("ready");
}

async function takeStock() {
  void takeName();
  stocked = false;
  book.clear();
  while (!stocked) {
    try {
      for (const status of SHOWN) {
        for (const order of await loadStatus(status, 200, 1)) take(order);
      }
      stocked = true;
    } catch {
      // Numbers that come by event are shown meanwhile.
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  draw();
}

async function takeName() {
  name = await ask("v1/menu").then(({ menu }) => menu.name, () => name);
  draw();
}

function draw() {
  const now = Date.now();
  const { making, ready } = numbersOf(book.all, now + clockOffset);
  render(
    html`
      <header>
        <h1 @pointerdown=${hold}>${name || texts.board.title}</h1>
        <p class="lost" role="status" ?hidden=${live && problem === null}>${problem ?? texts.board.lost}</p>
      </header>
      ${halfView("making", texts.board.making, making, now)} ${halfView("ready", texts.board.ready, ready, now)}
    `,
    $("board"),
  );
}

function halfView(kind, title, numbers, now) {
  return html`<section class=${kind} aria-labelledby=${kind}>
    <h2 id=${kind}>${title}</h2>
    <ul data-size=${sizeOf(numbers.length)} aria-live=${kind === "ready" ? "polite" : nothing}>
      ${numbers.map(({ id, number }) => html`<li ?data-new=${(fresh.get(id) ?? 0) > now}>${number}</li>`)}
    </ul>
  </section>`;
}

/** Guests can do nothing here; staff hold the name. */
function hold() {
  const timer = setTimeout(() => {
    opensAt(null);
    location.assign(address(""));
  }, HOLD_MS);
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => clearTimeout(timer), { once: true });
}
