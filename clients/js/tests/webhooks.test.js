import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { WebhookRefused, verifyWebhook } from "../lib/webhooks.js";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY = '{"type":"order:created","name":"Zoë"}';

/** Returns the headers of a delivery. */
function headers({ id = "m1", at = Math.floor(Date.now() / 1000), before = "" } = {}) {
  const key = Buffer.from(SECRET.slice(6), "base64");
  const signature = createHmac("sha256", key).update(`m1.${at}.${BODY}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": String(at), "webhook-signature": `${before}v1,${signature}` };
}

test("a signed delivery is accepted, as text and as bytes, beside other signatures", async () => {
  assert.equal(await verifyWebhook(SECRET, headers(), BODY), "m1");
  const several = new Headers(headers({ before: "v1a,x v1,AAAA v1,* " }));
  assert.equal(await verifyWebhook(SECRET, several, new TextEncoder().encode(BODY)), "m1");
});

test("anything else is refused", async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const [given, body] of [
    [headers(), `${BODY} `],
    [headers({ id: "m2" }), BODY],
    [headers({ at: now - 400 }), BODY],
    [headers({ at: now + 400 }), BODY],
    [{}, BODY],
  ]) {
    await assert.rejects(verifyWebhook(SECRET, given, body), WebhookRefused);
  }
});
