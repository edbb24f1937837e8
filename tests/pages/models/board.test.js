import assert from "node:assert/strict";
import { test } from "node:test";

import { numbersOf, sizeOf } from "../../../order_events/web/board-model.js";

const NOON = "2026-07-01T12:00:00.000Z";

function order(number, status, at = NOON) {
  return { id: number, order_number: `20260701-${number}`, status, created_at: at, updated_at: at };
}

test("guests see what is made and what is ready, and nothing that is not confirmed or is gone", () => {
  const later = "2026-07-01T12:05:00.000Z";
  const orders = [
    order("0004", "preparing", later), order("0001", "confirmed"), order("0002", "ready"),
    order("0003", "ready", later), order("0005", "pending"), order("0006", "picked-up"), order("0007", "cancelled"),
  ];
  const at = (time) => {
    const { making, ready } = numbersOf(orders, Date.parse(time));
    return [making, ready].map((half) => half.map(({ number }) => number));
  };
  assert.deepEqual(at("2026-07-01T12:06:00.000Z"), [["0001", "0004"], ["0003", "0002"]]);
  assert.deepEqual(at("2026-07-01T12:47:00.000Z")[1], ["0003"]);
});

test("the more numbers there are, the smaller they are", () => {
  assert.deepEqual([0, 6, 7, 20, 60].map(sizeOf), ["xl", "xl", "l", "m", "s"]);
});
