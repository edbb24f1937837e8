/** The kiosk: a guest speaks or taps, and sees and hears what was understood, the order and its price. */

import { openMicrophone } from "./capture.js";
import { $, keepAwake, setText } from "./dom.js";
import { keepShell } from "./install.js";
import { microphoneTrouble, troubleOf, voiceOffer } from "./kiosk-checks.js";
import { codeOf, first, offered } from "./kiosk-languages.js";
import { forget, remember, remembered } from "./kiosk-memory.js";
import { drawPanel, drawReadback } from "./kiosk-panel.js";
import { Setup, configuredTag, lane, laneTitle, showOnly } from "./kiosk-setup.js";
import * as views from "./kiosk-views.js";
import { Mouth, voiceFor } from "./kiosk-voice.js";
import { render } from "./lit-html.js";
import { shortNumber, withoutQuestion } from "./order-view.js";
import { address, ask, mayStart, takeFragment, token } from "./session.js";
import { LANGUAGES, fillTexts, speak, texts } from "./texts.js";
import { Transcript } from "./transcript-view.js";
import { VoiceStream } from "./voice.js";

/** Shorter losses of the connection are not shown to the guest. */
const UNSEEN_LOSS_MS = 1_500;
/** A guest with a confirmed order who is silent for this long has gone to the next window. */
const CONFIRMED_QUIET_MS = 12_000;
/** Any other guest who is silent for this long has left. */
const ABANDONED_MS = 90_000;
/** How long finishing may take. Without a connection, the restaurant has not received the last words. */
const FINISH_MS = 120_000;
/** How long a finished order stays on the screen before the next guest's turn. */
const SHOWN_MS = 45_000;
/** How often an idle kiosk looks whether the server is there, and what is sold out. */
const LOOK_MS = 20_000;
/** What the button says, by stage. */
const BUTTONS = { ready: "start", opening: "starting", listening: "finish", finishing: "finishingNow", done: "start" };

const mouth = new Mouth({
  said: (id) => stream?.said(id),
  interrupted: (id, ms) => stream?.interrupted(id, ms),
});
let transcript;
let stream = null;
let microphone = null;
let order = null;
let status = "listening";
let reason = null;
let menu = null;
let menuShown = true;
/** What the server offers guests, once it has been asked. */
let offer = null;
let tag = configuredTag();
let lostAt = null;
let changedAt = Date.now();
let lookedAt = 0;
let link = "closed";
/** A tap before the session has started, done as soon as it has. */
let firstTap = null;

useLanguage(tag);
const fragment = takeFragment();
const setup = new Setup(fragment, {
  left: () => {
    stopAll();
    forget();
    $("kiosk").dataset.stage = "ready";
  },
  ready: async () => {
    showKiosk();
    await look();
    $("talk").focus();
  },
  problem,
});
$("talk").addEventListener("click", () => {
  const stage = stageNow();
  if (stage === "ready" || stage === "done") void begin();
  else if (stage === "listening") void finish();
});
$("help").addEventListener("click", () => tap((session) => session.callStaff()));
$("show-menu").addEventListener("click", () => {
  menuShown = !menuShown;
  showOrder();
});
// The page may come back with the guest still there. The server ends sessions that stay silent.
addEventListener("pagehide", () => stream?.close());
setInterval(() => {
  showConnection();
  moveOn(Date.now() - changedAt);
}, 500);
void keepShell();
void open();

async function open() {
  tag = configuredTag();
  useLanguage(tag);
  if (!mayStart()) {
    setup.signOut(null);
  } else if (fragment.has("setup")) {
    await setup.open();
  } else {
    showKiosk();
    await look();
    const kept = remembered();
    if (kept !== null && !$("kiosk").hidden) await begin(kept);
  }
}

function stageNow() {
  return $("kiosk").dataset.stage;
}

/** Speaks and writes a guest's language from now on. */
function useLanguage(chosen) {
  tag = chosen;
  speak(codeOf(chosen));
  fillTexts(document);
  transcript = new Transcript(texts.kiosk.said);
  $("transcript").replaceChildren(transcript.node);
}

function showKiosk() {
  document.title = texts.kiosk.here;
  showOnly("kiosk");
  setText($("lane-name"), laneTitle());
  reset();
  keepAwake();
}

/** Looks what the server offers, and whether it is there. */
async function look() {
  lookedAt = Date.now();
  try {
    offer = await voiceOffer();
    menu = (await ask("v1/menu")).menu;
  } catch (error) {
    if (!mayStart()) setup.signOut(texts.people.unpaired);
    else if (error.status === 404) trouble(offer === null ? "server" : "menu");
    else trouble(troubleOf(error));
    return;
  }
  if (!$("trouble").hidden) showKiosk();
  const tags = offered(offer.languages, configuredTag(), LANGUAGES);
  const stage = stageNow();
  if (stage === "ready" && !tags.includes(tag)) useLanguage(first(tags, configuredTag()));
  if (stage === "ready") show("ready");
  showOrder();
}

/** Shows what keeps the kiosk from working, and what to do. */
function trouble(kind) {
  if (["listening", "finishing"].includes(stageNow()) && !$("kiosk").hidden) return;
  showOnly("trouble");
  render(views.troubleView(kind, kind === "credential" ? () => setup.signOut(null) : () => void look()), $("trouble-card"));
}

/** Resets the screen for the next guest. */
function reset() {
  transcript.clear();
  order = null;
  status = "listening";
  reason = null;
  menuShown = true;
  problem(null);
  show("ready");
  showOrder("");
}

/** Moves on when nobody does anything. `quiet` is for how long, in ms. */
function moveOn(quiet) {
  const stage = stageNow();
  const idle = !$("kiosk").hidden || !$("trouble").hidden;
  if (idle && stage === "ready" && Date.now() - lookedAt > LOOK_MS && mayStart()) void look();
  if (stage === "done" && quiet > SHOWN_MS) {
    useLanguage(configuredTag());
    reset();
    void look();
  }
  if (stage === "finishing" && quiet > FINISH_MS) failed(texts.kiosk.tooLate, false);
  if (stage !== "listening" || lostAt !== null || transcript.speaking) return;
  if (quiet > (status === "confirmed" ? CONFIRMED_QUIET_MS : ABANDONED_MS)) void finish();
}

/** Begins a guest's session, or goes on with the one of before the page was loaded again. */
async function begin(kept = null) {
  if (kept !== null) useLanguage(kept.language);
  reset();
  show("opening");
  mouth.open();
  const voiced = offer?.spoken.includes(codeOf(tag)) ?? false;
  const audible = voiced || voiceFor(tag) !== null;
  let opened;
  try {
    opened = await openMicrophone({
      chunk: (samples) => stream?.push(samples),
      level: showLevel,
      lost: () => {
        problem(texts.kiosk.unplugged);
        void finish();
      },
      echoCancellation: audible,
    });
  } catch (error) {
    show("ready");
    trouble(microphoneTrouble(error));
    return;
  }
  if (stageNow() !== "opening") {
    await opened.stop();
    return;
  }
  microphone = opened;
  const at = lane();
  stream = new VoiceStream(
    {
      url: address(""),
      token,
      language: tag,
      audio: { sample_rate: opened.sampleRate },
      speak: voiced ? "audio" : "text",
      ...(at ? { lane: at } : {}),
      ...(kept === null ? {} : { session_id: kept.session, resume: true }),
    },
    {
      event: take,
      again: () => {
        transcript.clear();
        order = null;
        showOrder("");
      },
      gone: () => {
        stopAll();
        forget();
        reset();
        void look();
      },
      ended,
      failed,
      state: ({ name }) => {
        link = name;
        if (name === "online") lostAt = null;
        else if (name === "waiting") lostAt ??= Date.now();
      },
    },
  );
  stream.open();
  remember(stream.sessionId, tag);
  show("listening");
}

/** Does what a guest has tapped; a tap before the session begins it. */
function tap(action) {
  const stage = stageNow();
  mouth.stop();
  changedAt = Date.now();
  if (stage === "listening") {
    if (stream === null || !action(stream)) problem(texts.kiosk.failed);
  } else if (stage === "ready" || stage === "done") {
    firstTap = action;
    void begin();
  }
}

async function finish() {
  const mine = stream;
  mouth.stop();
  show("finishing");
  await closeMicrophone();
  mine?.finish();
}

function ended(answer) {
  stream = null;
  forget();
  void closeMicrophone();
  lostAt = null;
  showConnection();
  transcript.hush();
  if (status === "needs_staff") show("done", "done_staff");
  else show("done", answer.order_id === null ? "done_empty" : "done");
  showOrder();
}

function failed(message, refused) {
  stopAll();
  forget();
  show("ready");
  if (refused) {
    trouble("credential");
    return;
  }
  // The server's messages are for developers; a guest needs to know what to do.
  problem(message === texts.kiosk.tooLate ? message : texts.kiosk.failed);
  setText($("device"), message);
}

function stopAll() {
  firstTap = null;
  mouth.stop();
  stream?.close();
  stream = null;
  lostAt = null;
  void closeMicrophone();
}

async function closeMicrophone() {
  const opened = microphone;
  microphone = null;
  await opened?.stop();
  showLevel(0);
}

function take(type, data) {
  changedAt = Date.now();
  if (stream !== null) remember(stream.sessionId, tag);
  if (type === "voice:transcript") transcript.take(data);
  else if (type === "voice:speech_started") transcript.listen();
  else if (type === "voice:speech_discarded") transcript.hush();
  else if (type === "voice:order") understood(data);
  else if (type === "voice:say") mouth.say(data);
  else if (type === "voice:speech") mouth.piece(data);
  else if (type === "voice:say_stop") mouth.stop();
  else if (type === "error" && data.code === "OVERLOADED") problem(texts.kiosk.busy);
  else if (type === "error" && data.code === "INTERNAL") problem(texts.kiosk.missed);
  else if (type === "voice:started") started();
}

function started() {
  problem(null);
  const action = firstTap;
  firstTap = null;
  action?.(stream);
}

function understood(data) {
  status = data.status;
  if (data.order !== null) {
    if (order === null) menuShown = false;
    order = data.order;
  }
  reason = data.reasons.find((one) => one.question) ?? null;
  if (stageNow() === "listening") show("listening");
  showOrder(data.readback);
}

/** Goes to a stage. While listening, the status of the order decides which texts are shown. */
function show(stage, wording = stage === "listening" ? status : stage) {
  changedAt = Date.now();
  $("kiosk").dataset.stage = stage;
  $("kiosk").dataset.wording = wording;
  const [headline, hint] = texts.kiosk[wording] ?? texts.kiosk[stage];
  const asked = wording === "clarify" ? reason : null;
  const numbered = stage === "done" && order !== null;
  setText($("headline"), asked?.question ?? headline);
  $("headline").toggleAttribute("data-long", asked !== null);
  $("number").hidden = !numbered;
  setText($("number"), numbered ? texts.kiosk.yourNumber(shortNumber(order)) : "");
  setText($("hint"), hint);
  render(views.choicesView(asked?.choices ?? [], (text) => tap((session) => session.answer(text))), $("choices"));
  setText($("talk-text"), texts.kiosk[BUTTONS[stage]]);
  $("talk").setAttribute("aria-disabled", String(stage === "opening" || stage === "finishing"));
  $("help").hidden = !["ready", "listening"].includes(stage) || status === "needs_staff";
  const tags = stage === "ready" || stage === "done" ? offered(offer?.languages ?? null, configuredTag(), LANGUAGES) : [];
  render(views.languagesView(tags, tag, choose), $("languages"));
}

/** The next guest speaks another language. */
function choose(chosen) {
  useLanguage(chosen);
  showKiosk();
}

function showOrder(readback = null) {
  drawPanel(
    { stage: stageNow(), status, order, menu, menuShown, tag },
    {
      change: (item, quantity) => tap((session) => session.changeQuantity(item.id, quantity)),
      choose: (name) => tap((session) => session.answer(name)),
    },
  );
  if (readback === null) return;
  drawReadback(order === null ? "" : withoutQuestion(readback, reason?.question), status);
}

function showConnection() {
  const seen = lostAt !== null && Date.now() - lostAt > UNSEEN_LOSS_MS;
  $("connection").hidden = !seen;
  $("connection").dataset.state = link;
  if (!seen) return;
  const behind = stream === null ? 0 : Math.round(stream.behind);
  setText($("connection-text"), texts.kiosk.lost(behind));
}

function showLevel(level) {
  $("ring").style.setProperty("--level", level.toFixed(3));
  $("meter").style.setProperty("--level", level.toFixed(3));
  $("meter").setAttribute("aria-valuenow", String(Math.round(level * 100)));
}

function problem(text) {
  $("problem").hidden = text === null;
  setText($("problem"), text ?? "");
}
