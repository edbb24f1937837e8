/** A menu as a guest reads it: by category, in the guest's language, with prices. */

/** The name of something on a menu in a language (ISO 639), or the menu's own. */
export function nameIn(thing, language) {
  const [named] = thing.names?.[language] ?? [];
  return named ?? thing.name;
}

/**
 * The categories that have items, in the menu's order: `[{id, name, items}]`. An item is `{id, name,
 * prices, soldOut}`, with one price `{size, amount}` for each size that it comes in; `size` is "" for
 * an item without sizes. What is sold out stays, at its place, so that nobody searches for it.
 */
export function shelves(menu, language) {
  const sizes = new Map((menu.sizes ?? []).map((size) => [size.id, nameIn(size, language)]));
  const shelf = (category) => ({
    id: category.id,
    name: nameIn(category, language),
    items: menu.items
      .filter((item) => item.category === category.id)
      .map((item) => ({
        id: item.id,
        name: nameIn(item, language),
        prices: prices(item, sizes),
        soldOut: Boolean(item.sold_out),
      })),
  });
  return menu.categories.map(shelf).filter(({ items }) => items.length > 0);
}

function prices(item, sizes) {
  if (item.price !== undefined && item.price !== null) return [{ size: "", amount: item.price }];
  return Object.entries(item.prices).map(([id, amount]) => ({ size: sizes.get(id) ?? id, amount }));
}
