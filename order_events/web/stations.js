/** What one station of a kitchen sees of a ticket. A station makes the items of some categories. */

/** Whether a line belongs to a station, by the categories of items. What the menu no longer knows
 *  belongs to every station, so that somebody makes it. */
function belongs(item, categories, categoryOf) {
  const category = categoryOf(item.menu_item_id);
  return category === null || categories.includes(category);
}

/**
 * A ticket as a station sees it: its own lines, how many others there are (`elsewhere`), and those
 * still to be made (`open`). It stands on the station's board until none is, or while `undoing`.
 */
export function stationTicket(ticket, categories, categoryOf, undoing = false) {
  const { order } = ticket;
  const own = new Set(
    ticket.lines.map(({ item }) => item).filter((item) => belongs(item, categories, categoryOf)),
  );
  const combos = new Set([...own].map(({ part_of }) => part_of));
  const lines = ticket.lines.filter(({ item }) => own.has(item) || combos.has(item.id));
  const open = lines
    .filter(({ item, mark }) => own.has(item) && mark !== "voided" && item.status !== "done")
    .map(({ item }) => item);
  const cooking = ["confirmed", "preparing"].includes(order.status) || ticket.gone;
  const news = ticket.gone || lines.some(({ mark }) => mark !== null);
  const stays = lines.length > 0 && cooking && (open.length > 0 || undoing || news);
  const changed = ticket.changed && news;
  const elsewhere = ticket.lines.length - lines.length;
  return { ...ticket, stage: stays ? ticket.stage : null, lines, open, elsewhere, changed, undoing };
}
