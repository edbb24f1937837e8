/** An order while staff change it. Everything here is a function of values: lines in, lines out. */

/** A line as the server takes it, from a line of an order. */
function asDraft(item) {
  const modifiers = item.modifiers.map(({ id, group, qualifier, negated, quantity }) => ({
    id, group, qualifier, negated, quantity,
  }));
  const { id, menu_item_id, quantity, size, special_instructions, confidence, part_of, slot } = item;
  return { id, menu_item_id, quantity, size, modifiers, special_instructions, confidence, part_of, slot };
}

/** The lines of an order, to be changed. */
export function linesOf(order) {
  return order === null ? [] : order.items.map(asDraft);
}

/** Menu entries by id, as the editor needs them. */
export class MenuIndex {
  constructor(menu) {
    this.menu = menu;
    this.items = new Map(menu.items.map((item) => [item.id, item]));
    this.sizes = new Map((menu.sizes ?? []).map((size) => [size.id, size]));
    this.groups = new Map((menu.modifier_groups ?? []).map((group) => [group.id, group]));
  }

  /** The name of a line: its item, with its size. */
  nameOf(line) {
    const item = this.items.get(line.menu_item_id);
    const size = line.size && this.sizes.get(line.size)?.name;
    return [item?.name ?? line.menu_item_id, size].filter(Boolean).join(" ");
  }

  /** The modifier that a line's modifier is. */
  modifier({ group, id }) {
    return this.groups.get(group)?.modifiers.find((one) => one.id === id);
  }

  /** The items that may fill a slot of a combo. */
  choices(slot) {
    const named = slot.choices.flatMap(({ item, category }) =>
      item ? [this.items.get(item)] : this.menu.items.filter((one) => one.category === category),
    );
    return [...new Set(named)];
  }
}

/** Adds one of a menu item, with the parts of a combo that need no choice. */
export function added(lines, item) {
  const id = freeId(lines);
  const line = {
    id, menu_item_id: item.id, quantity: 1, size: item.default_size ?? null, modifiers: [],
    special_instructions: null, confidence: null, part_of: null, slot: null,
  };
  const parts = (item.slots ?? [])
    .filter((slot) => slot.default)
    .map((slot) => part(`${id}.${slot.id}`, line, slot.id, slot.default));
  return [...lines, line, ...parts];
}

/** Lets an item fill a slot of a combo. */
export function filled(lines, combo, slot, item) {
  const known = lines.find((line) => line.part_of === combo.id && line.slot === slot.id);
  const fresh = part(known?.id ?? `${combo.id}.${slot.id}`, combo, slot.id, item.id);
  if (known) return lines.map((line) => (line === known ? fresh : line));
  const after = lines.findLastIndex(({ id, part_of }) => id === combo.id || part_of === combo.id);
  return lines.toSpliced(after + 1, 0, fresh);
}

/** Sets how many of a line there are; none removes it. The parts of a combo follow it. */
export function counted(lines, id, quantity) {
  if (quantity < 1) return lines.filter((line) => line.id !== id && line.part_of !== id);
  return lines.map((line) => (line.id === id || line.part_of === id ? { ...line, quantity } : line));
}

/** Changes fields of a line. What was heard of it is no longer what it is. */
export function changed(lines, id, fields) {
  return lines.map((line) => (line.id === id ? { ...line, ...fields, confidence: null } : line));
}

/** Sets or removes a modifier of a line. `how` is null (as it comes), or `{negated, qualifier, quantity}`. */
export function modified(lines, id, { group, modifier }, how) {
  const line = lines.find((one) => one.id === id);
  const others = line.modifiers.filter((one) => one.id !== modifier || one.group !== group);
  const one = { id: modifier, group, qualifier: null, negated: false, quantity: 1, ...how };
  return changed(lines, id, { modifiers: how === null ? others : [...others, one] });
}

/** What a line still needs before it can be made: `{size: true}` or `{slot}`, or null.
 *  @returns {{size?: boolean, slot?: any} | null} */
export function lacking(line, lines, index) {
  const item = index.items.get(line.menu_item_id);
  if (item === undefined) return null;
  const sizes = Object.keys(item.prices ?? {});
  // The parts of a combo get their size from it.
  if (sizes.length > 0 && !line.size && !item.default_size && !line.part_of) return { size: true };
  const slot = (item.slots ?? []).find(
    ({ id }) => !lines.some((one) => one.part_of === line.id && one.slot === id),
  );
  return slot ? { slot } : null;
}

/** Whether two lists of lines are the same order. */
export function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

function part(id, combo, slot, item) {
  return {
    id, menu_item_id: item, quantity: combo.quantity, size: null, modifiers: [],
    special_instructions: null, confidence: null, part_of: combo.id, slot,
  };
}

function freeId(lines) {
  const taken = new Set(lines.map(({ id }) => id));
  let n = lines.length + 1;
  while (taken.has(`s${n}`)) n += 1;
  return `s${n}`;
}
