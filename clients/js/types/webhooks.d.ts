/** A delivery does not come from who holds the secret, or not now. Answer it with 400. */
export class WebhookRefused extends Error {}

/** Resolves to the id of a delivery, which is the same each time it is tried; rejects with WebhookRefused.
 *  `body` is the text or the bytes as they came. */
export function verifyWebhook(
  secret: string,
  headers: Headers | Record<string, string | string[] | undefined>,
  body: string | ArrayBuffer | Uint8Array,
  toleranceS?: number,
): Promise<string>;
