import assert from "node:assert/strict";
import { test } from "node:test";

import { growth, growthBy, quantile, samplesOf, sum } from "../../../order_events/web/metrics-model.js";

const TEXT = `# HELP errors_total Errors
# TYPE errors_total counter
errors_total{code="RATE_LIMITED",socket="root"} 3.0
errors_total{code="INVALID \\"x\\"",socket="root"} 1.0
disk_bytes 2.5e+09
wait_seconds_bucket{le="0.1"} 5.0
wait_seconds_bucket{le="0.5"} 9.0
wait_seconds_bucket{le="+Inf"} 10.0
`;

test("samples have names, labels and values", () => {
  const samples = samplesOf(TEXT);
  assert.equal(samples.length, 6);
  assert.deepEqual(samples[1].labels, { code: 'INVALID "x"', socket: "root" });
  assert.equal(sum(samples, "disk_bytes"), 2.5e9);
  assert.equal(sum(samples, "errors_total", ({ code }) => code === "RATE_LIMITED"), 3);
  assert.equal(sum(samples, "nothing"), null);
});

test("counters grow, also over a restart of the server", () => {
  const before = samplesOf("a_total 5\n");
  assert.equal(growth(before, samplesOf("a_total 8\n"), "a_total"), 3);
  assert.equal(growth(before, samplesOf("a_total 2\n"), "a_total"), 2);
  assert.equal(growth(before, [], "a_total"), null);
  assert.deepEqual(growthBy([], samplesOf(TEXT), "errors_total", "code")[0], ["RATE_LIMITED", 3]);
});

test("a quantile is interpolated in its bucket", () => {
  const now = samplesOf(TEXT);
  assert.ok(Math.abs(quantile([], now, "wait_seconds", 0.5) - 0.1) < 1e-9);
  assert.ok(Math.abs(quantile([], now, "wait_seconds", 0.7) - 0.3) < 1e-9);
  assert.equal(quantile([], now, "wait_seconds", 0.99), 0.5);
  assert.equal(quantile(now, now, "wait_seconds", 0.5), null);
});
