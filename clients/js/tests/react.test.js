import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { StrictMode, act, createElement } from "react";
import { create } from "react-test-renderer";

import { FakeSocket, event, settled, socket } from "./fake-socket.js";
import { useEvents, useWebSocket } from "../react.js";

globalThis.IS_REACT_ACT_ENVIRONMENT = true;
// The renderer says that it is deprecated; it needs no document.
mock.method(console, "error", () => undefined);

beforeEach(() => {
  FakeSocket.opened.length = 0;
});

/** Renders a component; returns the renderer and the values that it returned. */
async function render(use, strict = false) {
  const seen = [];
  const Screen = () => {
    seen.push(use());
    return null;
  };
  const element = createElement(Screen);
  let renderer;
  await act(async () => {
    renderer = create(strict ? createElement(StrictMode, null, element) : element);
    await settled();
  });
  return { renderer, seen };
}

for (const strict of [false, true]) {
  test(`no event is lost, however React batches (strict: ${strict})`, async () => {
    const { renderer, seen } = await render(
      () =>
        useEvents({
          url: "http://h",
          token: "t",
          initial: [],
          load: async () => ["loaded"],
          reduce: (state, { seq }) => [...state, seq],
        }),
      strict,
    );
    const only = await socket(1);
    await act(async () => {
      only.admit();
      only.subscribed(9, false);
      for (let seq = 10; seq < 210; seq += 1) only.say(event(seq));
      await settled();
      await settled();
    });
    const { state, position, link } = seen.at(-1);
    assert.deepEqual(state, ["loaded", ...Array.from({ length: 200 }, (_, i) => i + 10)]);
    assert.deepEqual([position.seq, link.name], [209, "online"]);
    await act(async () => renderer.unmount());
    assert.equal(only.readyState, 3);
  });
}

test("a refusal is shown as an error", async () => {
  const { renderer, seen } = await render(() =>
    useEvents({ url: "http://h", token: "t", initial: 0, reduce: (state) => state + 1 }),
  );
  await act(async () => {
    (await socket(1)).end(1008, "UNAUTHORIZED");
    await settled();
  });
  assert.equal(seen.at(-1).error.code, "UNAUTHORIZED");
  await act(async () => renderer.unmount());
});

test("every message of a socket is handed over, and messages can be sent", async () => {
  const messages = [];
  const { renderer, seen } = await render(() =>
    useWebSocket({
      url: "http://h",
      token: () => "t",
      path: "voice-stream",
      onMessage: (message) => messages.push(message.type),
    }),
  );
  const only = await socket(1);
  assert.equal(seen.at(-1).send({ type: "early" }), false);
  await act(async () => {
    only.admit();
    for (let i = 0; i < 50; i += 1) only.say({ type: "voice:transcript", data: { i } });
  });
  assert.deepEqual(messages, ["connected", ...Array(50).fill("voice:transcript")]);
  assert.equal(seen.at(-1).send({ type: "ping" }), true);
  assert.deepEqual(only.sent.at(-1), { type: "ping" });
  await act(async () => renderer.unmount());
});
