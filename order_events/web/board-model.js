/** What guests see of the orders: the numbers that are being made, and those that are ready. */

const MAKING = ["confirmed", "preparing"];
/** A ready order that nobody has marked as picked up for so long is no longer shown, in ms. */
const FORGOTTEN_MS = 45 * 60_000;

/** The numbers of both halves: what is made by age, what is ready with the latest first. */
export function numbersOf(orders, now) {
  const by = (time) => (a, b) => time(a).localeCompare(time(b));
  const ready = orders.filter(({ status, updated_at }) => status === "ready" && now - Date.parse(updated_at) < FORGOTTEN_MS);
  return {
    making: orders.filter(({ status }) => MAKING.includes(status)).sort(by(({ created_at }) => created_at)).map(entry),
    ready: ready.sort(by(({ updated_at }) => updated_at)).reverse().map(entry),
  };
}

/** How large numbers are drawn, so that all fit: `xl`, `l`, `m` or `s`. */
export function sizeOf(count) {
  if (count <= 6) return "xl";
  if (count <= 15) return "l";
  return count <= 32 ? "m" : "s";
}

function entry({ id, order_number }) {
  return { id, number: order_number.split("-").at(-1) };
}
