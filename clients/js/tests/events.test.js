import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { FakeSocket, event, settled, socket } from "./fake-socket.js";
import { HistoryLost, Refused, connectEvents } from "../lib/events.js";
import { backoff, socketUrl } from "../lib/socket.js";

const OPTIONS = { url: "https://orders.example/base", token: "t" };

beforeEach(() => {
  FakeSocket.opened.length = 0;
  mock.timers.reset();
  mock.method(Math, "random", () => 0);
});

/** Follows with these options; returns the events and the first socket, subscribed after 9. */
async function follow(options = {}) {
  const before = FakeSocket.opened.length;
  const events = connectEvents({ ...OPTIONS, ...options });
  const first = await socket(before + 1);
  first.admit();
  first.subscribed(9, Boolean(options.since));
  return { events, first };
}

/** Returns the next events' places. */
async function take(events, count) {
  const seqs = [];
  while (seqs.length < count) seqs.push((await events.next()).value.seq);
  return seqs;
}

test("a socket is silent until it subscribes, and subscribes from the stored position", async () => {
  const since = { epoch: "e", seq: 9 };
  const { events, first } = await follow({ since, subscribe: { events: ["order:*"], batch_ms: 5 } });
  assert.equal(first.url, "wss://orders.example/base/?subscribe=explicit");
  assert.deepEqual(first.sent[0], { type: "auth", token: "t" });
  assert.deepEqual(first.sent[1], { type: "subscribe", id: "subscribe", events: ["order:*"], batch_ms: 5, since });
  assert.deepEqual(await events.ready, since);
  events.close();
});

test("each event comes once and in order over a lost connection", async () => {
  const { events, first } = await follow();
  first.say({ type: "batch", events: [event(10), event(11)] }, event(11));
  assert.deepEqual(await take(events, 2), [10, 11]);
  assert.deepEqual(events.position, { epoch: "e", seq: 11 });
  first.end(1006);
  const second = await socket(2);
  second.admit();
  assert.deepEqual(second.sent[1].since, { epoch: "e", seq: 11 });
  second.subscribed(11);
  second.say(event(11), event(12));
  assert.deepEqual(await take(events, 1), [12]);
  events.close();
  assert.equal((await events.next()).done, true);
});

test("lost history is told once, and iteration goes on after it", async () => {
  const { events, first } = await follow({ since: { epoch: "old", seq: 3 } });
  first.subscribed(20, false);
  first.say(event(21));
  await assert.rejects(events.next(), (error) => error instanceof HistoryLost && error.position.seq === 20);
  assert.deepEqual(await take(events, 1), [21]);
  events.close();
});

test("a refusal before the connection was accepted is final", async () => {
  const events = connectEvents({ ...OPTIONS, token: async () => "t" });
  (await socket(1)).end(1008, "FORBIDDEN");
  await assert.rejects(events.ready, (error) => error instanceof Refused && error.code === "FORBIDDEN");
  await assert.rejects(events.next(), Refused);
  await assert.rejects(events.next(), Refused);
  assert.equal(FakeSocket.opened.length, 1);
});

test("a subscription that is refused is final, unless the server is only busy", async () => {
  const { events, first } = await follow();
  const refusal = (code) => ({ type: "error", id: "subscribe", data: { code, message: code } });
  first.say(refusal("UNAVAILABLE"));
  const second = await socket(2);
  second.admit();
  second.say(refusal("INVALID_MESSAGE"));
  await assert.rejects(events.next(), /INVALID_MESSAGE/);
});

test("a token that expires is asked for again; without a function it ends the events", async () => {
  const tokens = ["first", "second", "third"];
  const { events, first } = await follow({ token: () => tokens.shift() });
  first.say({ type: "auth:expiring", data: { expires_at: "2026-01-01T00:00:00.000Z" } });
  await settled();
  assert.deepEqual(first.sent.at(-1), { type: "auth", token: "second" });
  first.end(1008, "UNAUTHORIZED");
  const second = await socket(2);
  second.admit();
  assert.equal(second.sent[0].token, "third");
  events.close();
  const { events: fixed, first: only } = await follow();
  only.end(1008, "UNAUTHORIZED");
  await assert.rejects(fixed.next(), Refused);
});

test("a token function that fails is tried again, and one without a token signs out", async () => {
  const tokens = [Promise.reject(new Error("offline")), null];
  const states = [];
  const events = connectEvents({ ...OPTIONS, token: () => tokens.shift(), onState: (s) => states.push(s) });
  await assert.rejects(events.ready, /there is no token/);
  assert.match(states.find((state) => state.name === "waiting").why, /offline/);
  assert.equal(FakeSocket.opened.length, 0);
});

test("a consumer that is far behind gives its connection up until it has caught up", async () => {
  const { events, first } = await follow();
  for (let seq = 10; seq < 10_020; seq += 1) first.say(event(seq));
  assert.equal(first.readyState, 3);
  // What waits begins with the start itself, so that it is full one event earlier.
  await take(events, 9_999);
  const reading = take(events, 1);
  const second = await socket(2);
  second.admit();
  assert.equal(second.sent[1].since.seq, 10_008);
  second.subscribed(10_008);
  second.say(event(10_009));
  assert.deepEqual(await reading, [10_009]);
  events.close();
});

test("callbacks come one after another, and what one throws ends the events", async () => {
  const seen = [];
  const ended = new Promise((resolve) => {
    connectEvents({
      ...OPTIONS,
      onStart: (position) => seen.push(["start", position.seq]),
      async onEvent({ seq }) {
        seen.push(["begin", seq]);
        await settled();
        if (seq === 11) throw new Error("the disk is full");
        seen.push(["end", seq]);
      },
      onEnd: resolve,
    });
  });
  const first = await socket(1);
  first.admit();
  first.subscribed(9, false);
  first.say(event(10), event(11), event(12));
  assert.match((await ended).message, /disk/);
  assert.deepEqual(seen, [["start", 9], ["begin", 10], ["end", 10], ["begin", 11]]);
});

test("waits double from 1 s to 30 s, less up to half", () => {
  const waits = [0, 1, 2, 3, 4, 5, 50].map((n) => [backoff(n, 0), backoff(n, 1)]);
  assert.deepEqual(waits.map(([, most]) => most), [1e3, 2e3, 4e3, 8e3, 16e3, 3e4, 3e4]);
  for (const [least, most] of waits) assert.equal(least, most / 2);
});

test("the address of a socket keeps the server's prefix", () => {
  assert.equal(socketUrl("http://h:1/a", "voice-stream"), "ws://h:1/a/voice-stream");
  assert.equal(socketUrl(new URL("wss://h/"), ""), "wss://h/");
});

test("a consumer that is behind does not connect because the network is back", async () => {
  const listeners = new Set();
  globalThis.addEventListener = (name, listener) => listeners.add(listener);
  globalThis.removeEventListener = (name, listener) => listeners.delete(listener);
  const { events, first } = await follow();
  assert.equal(listeners.size, 1);
  for (let seq = 10; seq < 10_020; seq += 1) first.say(event(seq));
  assert.equal(listeners.size, 0);
  events.close();
  delete globalThis.addEventListener;
  delete globalThis.removeEventListener;
});

test("ready rejects if the events are closed before they begin", async () => {
  const events = connectEvents(OPTIONS);
  events.close();
  await assert.rejects(events.ready, /closed/);
});
