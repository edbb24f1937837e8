/** Elements and texts. Data from outside becomes text nodes, never markup. */

/** Creates an element. `on…` attributes are listeners; null, undefined and false omit an attribute. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

/** The page's element with an id.
 *  @param {string} id
 *  @returns {any} whose kind the page knows */
export function $(id) {
  return document.getElementById(id);
}

/** Sets the text of an element; does nothing if it is the same. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const currencies = new Map();

/** Formats an amount given in the currency's smallest unit (cents). */
export function money(amount, currency) {
  let format = currencies.get(currency);
  if (format === undefined) {
    format = new Intl.NumberFormat(undefined, { style: "currency", currency });
    currencies.set(currency, format);
  }
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
}

/** "drive-thru" and "six_piece" as words: "Drive thru", "Six piece". */
export function words(id) {
  const text = id.replace(/[-_]+/g, " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Milliseconds as a running clock: "0:42", "12:05", "1 h 05". */
export function elapsed(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)}`;
  return `${Math.floor(seconds / 86400)} d`;
}

/** A time of day, in the reader's locale. */
export function clock(time) {
  return new Date(time).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

/** Runs `change`, which may rebuild or move elements, and restores the focus afterwards.
 *  The element is found again by its `data-focus`. */
export function keepingFocus(change) {
  const key = focused();
  change();
  if (key === undefined || focused() === key) return;
  /** @type {NodeListOf<HTMLElement>} */
  const known = document.querySelectorAll("[data-focus]");
  [...known].find((node) => node.dataset.focus === key)?.focus({ preventScroll: true });
}

function focused() {
  return /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.focus;
}

/** What was typed into a field of a form.
 *  @param {HTMLFormElement} form
 *  @param {string} name */
export function typed(form, name) {
  return String(new FormData(form).get(name) ?? "").trim();
}

/** Keeps the screen of a wall display or kiosk on while the page is visible. */
export function keepAwake() {
  const ask = () => {
    if (document.visibilityState === "visible") {
      // A browser may refuse, for example on low battery. That is not an error.
      navigator.wakeLock?.request("screen").catch(() => undefined);
    }
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}
