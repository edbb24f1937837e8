/** The check of a webhook's signature, as the Standard Webhooks specification has it. */

/** Seconds that the sender's clock may differ from ours; older deliveries may be replays. */
const TOLERANCE_S = 300;
const HMAC = { name: "HMAC", hash: "SHA-256" };

/** A delivery does not come from who holds the secret, or not now. Answer it with 400. */
export class WebhookRefused extends Error {
  constructor(message) {
    super(message);
    this.name = "WebhookRefused";
  }
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function header(headers, name) {
  return (typeof headers.get === "function" ? headers.get(name) : headers[name]) ?? "";
}

/**
 * Resolves to the id of a delivery, which is the same each time it is tried; rejects with WebhookRefused.
 * `headers` is a Headers, or an object with names in lower case, as Node has them. `body` is the text or
 * the bytes as they came: JSON that was parsed and written again has another signature.
 */
export async function verifyWebhook(secret, headers, body, toleranceS = TOLERANCE_S) {
  const id = header(headers, "webhook-id");
  const timestamp = Number(header(headers, "webhook-timestamp") || NaN);
  const signatures = header(headers, "webhook-signature").split(" ");
  if (!id || !Number.isInteger(timestamp)) {
    throw new WebhookRefused("the headers of a signed webhook are missing");
  }
  if (Math.abs(Date.now() / 1000 - timestamp) > toleranceS) {
    throw new WebhookRefused("the delivery is too old, or one of the clocks is wrong");
  }
  const key = await crypto.subtle.importKey("raw", bytesOf(secret.replace(/^whsec_/, "")), HMAC, false, ["verify"]);
  const content = typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(body);
  const prefix = new TextEncoder().encode(`${id}.${timestamp}.`);
  const signed = new Uint8Array(prefix.length + content.length);
  signed.set(prefix);
  signed.set(content, prefix.length);
  // While a secret is being replaced, there is a signature for each. `verify` takes constant time.
  for (const [version, signature] of signatures.map((each) => each.split(","))) {
    if (version !== "v1" || !/^[A-Za-z0-9+/]+=*$/.test(signature ?? "")) continue;
    if (await crypto.subtle.verify("HMAC", key, bytesOf(signature), signed)) return id;
  }
  throw new WebhookRefused("the signature does not match");
}
