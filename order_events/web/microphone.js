/** The kiosk: a guest speaks, and sees the words, the order and its price. */

import { microphoneProblem, openMicrophone } from "./capture.js";
import { $, keepAwake, setText, words } from "./dom.js";
import { nothing, render } from "./lit-html.js";
import { itemsView, shortNumber, totalsView, withoutQuestion } from "./order-view.js";
import { address, keepToken, mayStart, pairedScreen, takeFragment, token } from "./session.js";
import { fillTexts, speak, texts } from "./texts.js";
import { Transcript } from "./transcript-view.js";
import { VoiceStream } from "./voice.js";

const LANE = "voice-ordering.lane";
const LANGUAGE = "voice-ordering.language";
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

/** How long staff hold the button to sign a kiosk out, in ms. A guest who taps it does nothing. */
const HOLD_MS = 2_000;
/** What the button says, by stage. */
const BUTTONS = { ready: "start", opening: "starting", listening: "finish", finishing: "finishingNow", done: "start" };

speak(localStorage.getItem(LANGUAGE) || "en");
const transcript = new Transcript(texts.kiosk.said);
$("transcript").append(transcript.node);

let stream = null;
let microphone = null;
let order = null;
let status = "listening";
let question = null;
let lostAt = null;
let changedAt = Date.now();
let link = "closed";
let holding = 0;

const fragment = takeFragment();
for (const [name, key] of [["lane", LANE], ["language", LANGUAGE]]) {
  if (fragment.get(name)) localStorage.setItem(key, fragment.get(name));
  $(name).value = localStorage.getItem(key) ?? "";
}
$("signin-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepToken($("token").value.trim());
  localStorage.setItem(LANE, $("lane").value.trim());
  localStorage.setItem(LANGUAGE, $("language").value.trim());
  $("token").value = "";
  showKiosk();
  $("talk").focus();
});
for (const start of ["pointerdown", "keydown"]) $("signout").addEventListener(start, hold);
for (const end of ["pointerup", "pointerleave", "keyup", "blur"]) {
  $("signout").addEventListener(end, () => clearTimeout(holding));
}
$("talk").addEventListener("click", () => {
  const { stage } = $("kiosk").dataset;
  if (stage === "ready" || stage === "done") begin();
  else if (stage === "listening") finish();
});
// The page may come back with the guest still there. The server ends sessions that stay silent.
addEventListener("pagehide", () => stream?.close());
setInterval(() => {
  showConnection();
  moveOn(Date.now() - changedAt);
}, 500);
if (!mayStart()) signOut(null);
else showKiosk();

/** Signs out once staff have held the button for long enough. */
function hold(event) {
  if (event.repeat) return;
  clearTimeout(holding);
  holding = setTimeout(() => signOut(null), HOLD_MS);
}

function showKiosk() {
  speak(localStorage.getItem(LANGUAGE) || "en");
  fillTexts(document);
  document.title = texts.kiosk.here;
  $("signin").hidden = true;
  $("kiosk").hidden = false;
  const lane = localStorage.getItem(LANE) || pairedScreen()?.lane;
  setText($("lane-name"), lane ? words(lane) : texts.kiosk.here);
  setText($("device"), texts.kiosk.languageIs(localStorage.getItem(LANGUAGE) || "en-US"));
  reset();
  keepAwake();
}

/** Resets the screen for the next guest. */
function reset() {
  transcript.clear();
  order = null;
  status = "listening";
  question = null;
  problem(null);
  showOrder("");
  show("ready");
}

/** Moves on when nobody does anything. `quiet` is for how long, in ms. */
function moveOn(quiet) {
  const { stage } = $("kiosk").dataset;
  if (stage === "done" && quiet > SHOWN_MS) reset();
  if (stage === "finishing" && quiet > FINISH_MS) {
    failed(texts.kiosk.tooLate, false);
  }
  if (stage !== "listening" || lostAt !== null || transcript.speaking) return;
  if (quiet > (status === "confirmed" ? CONFIRMED_QUIET_MS : ABANDONED_MS)) finish();
}

function signOut(problem) {
  stopAll();
  keepToken(null);
  $("kiosk").hidden = true;
  $("signin").hidden = false;
  $("signin-problem").hidden = problem === null;
  setText($("signin-problem"), problem ?? "");
  $("token").focus();
}

async function begin() {
  reset();
  show("opening");
  let opened;
  try {
    opened = await openMicrophone({
      chunk: (samples) => stream?.push(samples),
      level: showLevel,
      lost: () => {
        problem(texts.kiosk.unplugged);
        finish();
      },
    });
  } catch (error) {
    problem(microphoneProblem(error));
    show("ready");
    return;
  }
  if ($("kiosk").dataset.stage !== "opening") {
    await opened.stop();
    return;
  }
  microphone = opened;
  const lane = localStorage.getItem(LANE) || pairedScreen()?.lane;
  stream = new VoiceStream(
    {
      url: address(""),
      token,
      language: localStorage.getItem(LANGUAGE) || "en-US",
      audio: { sample_rate: opened.sampleRate },
      ...(lane ? { lane } : {}),
    },
    {
      event: take,
      again: () => {
        transcript.clear();
        order = null;
        showOrder("");
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
  show("listening");
}

async function finish() {
  const mine = stream;
  show("finishing");
  await closeMicrophone();
  mine?.finish();
}

function ended(answer) {
  stream = null;
  closeMicrophone();
  lostAt = null;
  showConnection();
  transcript.hush();
  if (status === "needs_staff") show("done", "done_staff");
  else show("done", answer.order_id === null ? "done_empty" : "done");
}

function failed(message, refused) {
  stopAll();
  if (refused) {
    signOut(texts.kiosk.setUpAgain(message));
    return;
  }
  // The server's messages are for developers; a guest needs to know what to do.
  problem(message === texts.kiosk.tooLate ? message : texts.kiosk.failed);
  setText($("device"), message);
  show("ready");
}

function stopAll() {
  stream?.close();
  stream = null;
  lostAt = null;
  closeMicrophone();
}

async function closeMicrophone() {
  const opened = microphone;
  microphone = null;
  await opened?.stop();
  showLevel(0);
}

function take(type, data) {
  changedAt = Date.now();
  if (type === "voice:transcript") transcript.take(data);
  else if (type === "voice:speech_started") transcript.listen();
  else if (type === "voice:speech_discarded") transcript.hush();
  else if (type === "voice:order") understood(data);
  else if (type === "error" && data.code === "OVERLOADED") {
    problem(texts.kiosk.busy);
  } else if (type === "error" && data.code === "INTERNAL") {
    problem(texts.kiosk.missed);
  } else if (type === "voice:started") problem(null);
}

function understood(data) {
  status = data.status;
  if (data.order !== null) order = data.order;
  question = data.reasons.find((reason) => reason.question)?.question ?? null;
  showOrder(data.readback);
  if ($("kiosk").dataset.stage === "listening") show("listening");
}

/** Goes to a stage. While listening, the status of the order decides which texts are shown. */
function show(stage, wording = stage === "listening" ? status : stage) {
  changedAt = Date.now();
  $("kiosk").dataset.stage = stage;
  $("kiosk").dataset.wording = wording;
  const [headline, hint] = texts.kiosk[wording] ?? texts.kiosk[stage];
  const number = stage === "done" && order !== null ? texts.kiosk.yourNumber(shortNumber(order)) : "";
  const asked = wording === "clarify" ? question : null;
  setText($("headline"), asked ?? [headline, number].filter(Boolean).join(" "));
  $("headline").toggleAttribute("data-long", asked !== null);
  setText($("hint"), hint);
  setText($("talk-text"), texts.kiosk[BUTTONS[stage]]);
  $("talk").setAttribute("aria-disabled", String(stage === "opening" || stage === "finishing"));
}

function showOrder(readback) {
  render(order === null ? nothing : itemsView(order, order.currency), $("order-lines"));
  render(order === null ? nothing : totalsView(order), $("order-totals"));
  $("order-empty").hidden = order !== null;
  setText($("order-number"), order === null ? "" : `#${shortNumber(order)}`);
  const said = withoutQuestion(readback, question);
  $("readback").hidden = said === "";
  $("readback").dataset.status = status;
  setText($("readback"), said);
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
