import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Presses } from "../../../order_events/web/presses.js";

const ORDER = { id: "o", version: 3, status: "confirmed" };
const START = { order: ORDER, kind: "status", status: "preparing" };

/** Presses with a server that answers as `answers` says, one after the other. */
function at(answers, arrived = () => null) {
  const seen = { sent: [], done: [], refused: [] };
  const presses = new Presses({
    send: async (press) => {
      seen.sent.push([press.kind, press.order.version]);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    arrived: async (press) => arrived(press),
    done: (order) => seen.done.push(order.version),
    refused: (press, error) => seen.refused.push(error.message),
    changed: () => undefined,
  });
  return { presses, seen };
}

const settled = async () => {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
};

test("our own change does not make our next press outdated", async () => {
  const { presses, seen } = at([{ ...ORDER, version: 4 }, { ...ORDER, version: 5 }]);
  presses.press({ order: ORDER, kind: "item", item: "1", status: "done" });
  presses.press(START);
  await settled();
  assert.deepEqual(seen.sent, [["item", 3], ["status", 4]]);
  assert.deepEqual(seen.done, [4, 5]);
  presses.clear();
});

test("a press that did not get through is kept, and sent again when the connection is back", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const { presses, seen } = at([new TypeError("no network"), { ...ORDER, version: 4 }]);
  presses.press(START);
  presses.press(START);
  await settled();
  assert.deepEqual(presses.of("o").map(({ tried }) => tried), [true]);
  presses.retry();
  await settled();
  assert.deepEqual([seen.sent.length, seen.done, presses.of("o")], [2, [4], []]);
  mock.timers.reset();
});

test("a press whose answer was lost is not sent twice", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const there = { ...ORDER, version: 4, status: "preparing" };
  const { presses, seen } = at([new TypeError("no answer")], () => there);
  presses.press(START);
  await settled();
  presses.retry();
  await settled();
  assert.deepEqual([seen.sent.length, seen.done], [1, [4]]);
  mock.timers.reset();
});

test("what the server refuses is said, and does not hold up the rest", async () => {
  const stale = Object.assign(new Error("changed"), { final: true });
  const other = { ...ORDER, id: "p" };
  const { presses, seen } = at([stale, { ...other, version: 9 }]);
  presses.press(START);
  presses.press({ ...START, order: other });
  await settled();
  assert.deepEqual([seen.refused, seen.done], [["changed"], [9]]);
  presses.clear();
});

test("a press that the server cannot do holds up no other order, and is given up", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const other = { ...ORDER, id: "p" };
  const broken = () => Object.assign(new Error("broken"), { status: 500, final: false });
  const answers = [broken(), { ...other, version: 9 }, ...Array.from({ length: 9 }, broken)];
  const { presses, seen } = at(answers);
  presses.press(START);
  presses.press({ ...START, order: other });
  await settled();
  assert.deepEqual([seen.done, presses.of("o").length], [[9], 1]);
  for (let i = 0; i < 10; i += 1) {
    mock.timers.tick(3_000);
    await settled();
  }
  assert.deepEqual([seen.refused, presses.of("o")], [["broken"], []]);
  mock.timers.reset();
});

test("the last step can be undone for five seconds", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const { presses } = at([{ ...ORDER, version: 4 }]);
  presses.press(START);
  await settled();
  assert.equal(presses.undoable("o"), true);
  mock.timers.tick(5_100);
  assert.equal(presses.undoable("o"), false);
  mock.timers.reset();
});
