/** The staff page: signs in, follows the restaurant's events and gives them to the screen. */

import { $, clock, keepAwake, setText, words } from "./dom.js";
import { connectEvents } from "./events.js";
import { loadCalls, loadOrders, loadSessions } from "./orders.js";
import { keepShell } from "./install.js";
import { KitchenSettings } from "./kitchen-settings.js";
import { ScreenSettings } from "./screen-settings.js";
import { Screen } from "./screen.js";
import { People } from "./people.js";
import { Refusal, address, ask, currentToken, keepToken, mayStart, otherPage, pairedScreen, screenTokenRefused, takeFragment, token } from "./session.js";
import { Sounds } from "./sounds.js";
import { fillTexts, texts } from "./texts.js";

const VIEW = "voice-ordering.view";
const WIDE = matchMedia("(min-width: 93.75rem)");
const ORDER_EVENTS = ["order:created", "order:updated", "menu:updated"];
const VOICE_EVENTS = ["voice:transcript", "voice:order", "voice:session", "staff:call"];
/** Roles whose screens do not show what guests say. */
const NO_VOICE = ["kitchen"];
const RETRY_MS = 3_000;
/** How many past events a new page asks for, so that it does not start empty. */
const HISTORY = 300;
/** Events within this many ms of each other arrive as one message. */
const BATCH_MS = 60;
/** A server that is silent for this long is asked whether it is there, and has 4 s to answer. */
const SILENCE_MS = 5_000;
/** No guest's visit lasts longer than this. */
const LONG_AGO_MS = 15 * 60_000;

fillTexts(document);
void keepShell();
const sounds = new Sounds();
const kitchen = new KitchenSettings(() => screen.draw());
const settings = new ScreenSettings($("settings"), sounds, kitchen);
const screen = new Screen({ sounds, kitchen, setUp: () => settings.open(), refused });
const people = new People($("people"), start);

let feed = null;
let clockOffset = 0;
let link = { name: "closed" };
let lostAt = null;

const fragment = takeFragment();
if (fragment.get("view")) sessionStorage.setItem(VIEW, fragment.get("view"));
addEventListener("hashchange", () => {
  const given = takeFragment();
  if (given.get("token")) start();
});
for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, () => sounds.wake());
$("signin-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken($("token").value.trim());
  $("signin-form").reset();
  start();
});
$("signout").addEventListener("click", () => signOut(null));
$("settings-open").addEventListener("click", () => settings.open());
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
if (otherPage() === "board") location.replace(address("web/board.html"));
else if (!mayStart()) signOut(null);
else if (currentToken() === null) void startAtScreen();
else start();

function start() {
  feed?.close();
  screen.clear(null);
  $("signin").hidden = true;
  $("app").hidden = false;
  // Without the server nobody says what this screen is for.
  if (pairedScreen()?.role === "kitchen") showView("kitchen");
  feed = connectEvents({
    url: address(""),
    token,
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
      // At a paired screen a fresh token has been asked for already, or staff sign in again.
      if (pairedScreen() !== null) return;
      setText($("renewal-text"), texts.signIn.expires(clock(time)));
      $("renewal").hidden = false;
    },
  });
}

/** Starts at a paired screen: staff say who they are, if they can; a kitchen has hands to wash. */
async function startAtScreen(problem = null) {
  $("app").hidden = true;
  $("signin").hidden = false;
  $("signin-form").hidden = true;
  $("people").hidden = false;
  try {
    if (pairedScreen()?.role === "kitchen" || !(await people.show(problem))) start();
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) signOut(texts.people.unpaired);
    // Until the server is there, the page shows that it is not.
    else start();
  }
}

/** Returns to the sign-in. `problem` is the reason, or null if the user asked for it. */
function signOut(problem) {
  feed?.close();
  feed = null;
  keepToken(null);
  screen.clear(null);
  $("renewal").hidden = true;
  if (pairedScreen() !== null) {
    void startAtScreen(problem);
    return;
  }
  $("app").hidden = true;
  $("signin").hidden = false;
  $("signin-form").hidden = false;
  $("people").hidden = true;
  $("signin-problem").hidden = problem === null;
  setText($("signin-problem"), problem ?? "");
  $("token").focus();
}

function refused(code, message) {
  screenTokenRefused();
  if (currentToken() === null && pairedScreen() === null) return signOut(texts.people.unpaired);
  signOut(code === "FORBIDDEN" ? texts.signIn.forbidden : texts.signIn.again(message));
}

/** Loads everything from the server: on the first connection, or when history was lost. */
async function takeStock(who) {
  const mine = feed;
  screen.clear(who);
  setText($("who"), `${who.user_id}, ${words(who.role).toLowerCase()}`);
  setText($("restaurant"), words(who.restaurant_id));
  const mayHear = !NO_VOICE.includes(who.role);
  $("views").hidden = !mayHear;
  // Nobody is signed in at the kitchen's own screen: there is nobody to sign out.
  $("signout").hidden = currentToken() === null && who.role === "kitchen";
  settings.manages = who.role === "manager";
  showView(mayHear ? (sessionStorage.getItem(VIEW) ?? (WIDE.matches ? "both" : "conversations")) : "kitchen");
  keepAwake();
  void takeMenu();
  if (mayHear) {
    loadSessions().then(
      (open) => mine === feed && open.forEach(greet),
      () => undefined, // Sessions will appear as soon as something happens in them.
    );
    void untilLoaded(mine, loadCalls).then((calls) => calls && screen.loadCalls(calls));
  }
  const orders = await untilLoaded(mine, loadOrders);
  if (orders !== null) screen.stock(orders);
}

/** Loads the menu, if the restaurant has one, for its name and for changing orders. */
async function takeMenu() {
  const answer = await untilLoaded(feed, () =>
    ask("v1/menu").catch((error) => {
      if (error.status === 404) return { menu: null };
      throw error;
    }),
  );
  if (!answer?.menu) return;
  screen.setMenu(answer.menu);
  settings.take(answer.menu.categories);
  setText($("restaurant"), answer.menu.name);
}

/** Loads something, retrying until it succeeds. Returns null if this sign-in has ended. */
async function untilLoaded(mine, load) {
  while (mine === feed) {
    try {
      const loaded = await load();
      return mine === feed ? loaded : null;
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
  if (type === "voice:transcript") screen.transcript(data, at);
  else if (type === "voice:order") screen.understood(data, at);
  else if (type === "voice:session") screen.session(data, !["ended", "erased"].includes(data.state), at);
  else if (type === "staff:call") screen.call(data.call);
  else if (type === "menu:updated") void takeMenu();
  else screen.order(data.order, type === "order:created");
}

/** Shows a session that was open before this page. Very old ones are skipped: they never got an end. */
function greet(session) {
  const at = Date.parse(session.started_at);
  if (Date.now() + clockOffset - at < LONG_AGO_MS) screen.session(session, true, at);
}

function showConnection(state) {
  link = state;
  if (state.name === "online") {
    clockOffset = state.serverTime - Date.now();
    lostAt = null;
    screen.online(clockOffset);
  } else if (state.name === "waiting") {
    lostAt ??= Date.now();
  }
  $("connection").dataset.state = state.name;
  tick();
}

function tick() {
  screen.tick();
  setText($("connection-text"), texts.link[link.name]);
  $("silent").hidden = !sounds.muted;
  $("outage").hidden = lostAt === null;
  if (lostAt === null) return;
  const seconds = Math.max(0, Math.ceil(((link.until ?? 0) - Date.now()) / 1000));
  const next = link.name === "waiting" && seconds > 0 ? texts.tryingIn(seconds) : texts.tryingNow;
  setText($("outage"), texts.outage(clock(lostAt), next));
}

function showView(view) {
  const known = ["conversations", "kitchen", "both"].includes(view) ? view : "conversations";
  $("main").dataset.view = known;
  for (const button of $("views").querySelectorAll("[data-view]")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === known));
  }
}
