/** The kiosk: a guest speaks, and sees the words, the order and its price. */

import { microphoneProblem, openMicrophone } from "./capture.js";
import { $, keepAwake, setText, words } from "./dom.js";
import { render } from "./lit-html.js";
import { itemsView, shortNumber, totalsView, withoutQuestion } from "./order-view.js";
import { address, keepToken, mayStart, pairedScreen, takeFragment, token } from "./session.js";
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

/** The texts that the guest reads, by stage; while listening, by the status of the order. */
const HEADLINES = {
  ready: ["Hungry? Just tell us.", "Press the button and speak as you would to a person."],
  opening: ["One moment…", "Please allow the microphone if you are asked."],
  listening: ["We’re listening", "Take your time. Say “that’s all” when you are done."],
  clarify: ["Just to be sure", "Please answer out loud."],
  confirmed: ["Got it, thank you!", "Press “Finish”, or add something if you like."],
  needs_staff: ["A colleague is on the way", "Someone will help you with this order in a moment."],
  finishing: ["Thank you!", "We’re finishing your order."],
  done: ["Thank you!", "Press the button for the next order."],
  done_staff: ["A colleague will help you", "Please wait a moment. Someone is looking at your order."],
  done_empty: ["Maybe another time?", "We didn’t hear an order. Press the button to try again."],
};
const BUTTONS = { ready: "Start", opening: "Starting", listening: "Finish", finishing: "Finishing", done: "Start" };

const transcript = new Transcript("What you said");
$("transcript").append(transcript.node);

let stream = null;
let microphone = null;
let order = null;
let status = "listening";
let question = null;
let lostAt = null;
let changedAt = Date.now();
let link = "closed";

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
$("signout").addEventListener("click", () => signOut(null));
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

function showKiosk() {
  $("signin").hidden = true;
  $("kiosk").hidden = false;
  const lane = localStorage.getItem(LANE) || pairedScreen()?.lane;
  setText($("lane-name"), lane ? words(lane) : "Order here");
  setText($("device"), `Language ${localStorage.getItem(LANGUAGE) || "en-US"}`);
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
    failed("we could not finish your order. Please tell a member of staff", false);
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
        problem("The microphone was unplugged. We have kept what you said so far.");
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
    signOut(`Please set this microphone up again: ${message || "the token was not accepted"}.`);
    return;
  }
  problem(`${words(message)}.`);
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
    problem("Many guests are ordering right now. We have kept your words and will try again.");
  } else if (type === "error" && data.code === "INTERNAL") {
    problem("Sorry, we missed that. Could you say it again?");
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
  const [headline, hint] = HEADLINES[wording] ?? HEADLINES[stage];
  const asked = wording === "clarify" ? question : null;
  setText($("headline"), asked ?? headline);
  $("headline").toggleAttribute("data-long", asked !== null);
  setText($("hint"), hint);
  setText($("talk-text"), BUTTONS[stage]);
  $("talk").setAttribute("aria-disabled", String(stage === "opening" || stage === "finishing"));
}

function showOrder(readback) {
  const lines = order === null ? [] : [itemsView(order, order.currency), totalsView(order)];
  render(lines, $("order-lines"));
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
  setText($("connection-text"), `Connection lost. Keep talking: ${behind} s are saved and will be sent later.`);
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
