/** Prints a ticket as it stands on the board; `kitchen.css` says how it looks on paper. */

/** Prints every part of an order's ticket. */
export function printTickets(order) {
  /** @type {NodeListOf<HTMLElement>} */
  const tickets = document.querySelectorAll(".ticket");
  const parts = [...tickets].filter((node) => node.dataset.order === order.id);
  const mark = (on) => {
    document.body.toggleAttribute("data-printing", on);
    for (const node of parts) node.classList.toggle("printing", on);
  };
  mark(true);
  addEventListener("afterprint", () => mark(false), { once: true });
  print();
}
