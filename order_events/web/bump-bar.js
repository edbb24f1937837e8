/** Keys of a keyboard, or of a bump bar that types like one. */

/** What has keys of its own. */
const TYPING = "input, select, textarea, dialog[open]";

/**
 * Listens for keys while `active()`:
 * - `1` to `9`, then `0`: the button of that ticket
 * - the arrows: from ticket to ticket; Enter then presses as always
 * - Backspace or `r`: takes the last press back
 * - Page Up and Page Down: to what does not fit
 *
 * Handlers: `active()`, `ticket(n)`, `move(by)`, `undo()`, `page(by)`.
 */
export function listenToKeys(handlers) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !handlers.active()) return;
    const { target } = event;
    if ((target instanceof Element && target.closest(TYPING)) || document.querySelector("dialog[open]")) return;
    const act = actionOf(event.key, handlers);
    if (act === null) return;
    event.preventDefault();
    // A key that is held down would bump one ticket after the other.
    if (!event.repeat) act();
  });
}

function actionOf(key, handlers) {
  if (/^[0-9]$/.test(key)) return () => handlers.ticket((Number(key) + 9) % 10);
  if (key === "ArrowRight" || key === "ArrowDown") return () => handlers.move(1);
  if (key === "ArrowLeft" || key === "ArrowUp") return () => handlers.move(-1);
  if (key === "Backspace" || key.toLowerCase() === "r") return () => handlers.undo();
  if (key === "PageDown") return () => handlers.page(1);
  if (key === "PageUp") return () => handlers.page(-1);
  return null;
}
