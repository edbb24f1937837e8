"""Square's catalogue read as a menu in our format. Pure.

Items keep their ids. An item's variations become its sizes, which all items share by their names;
modifier lists become modifier groups.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from order_events.integrations.point_of_sale import ImportedMenu
from order_events.menu.menu import Menu

Json = dict[str, Any]
TYPES: Final = "ITEM,CATEGORY,MODIFIER_LIST,TAX"
_OTHERS: Final = "others"


@dataclass(slots=True)
class Catalog:
    """A catalogue as it is at one location.

    `variations` has the variation of each item and size (None: it comes in one size only), with
    its `version`; `stock` has the items' variations that are sold out.
    """

    imported: ImportedMenu
    variations: dict[tuple[str, str | None], str] = field(default_factory=dict)
    modifiers: frozenset[str] = frozenset()
    sold_out: frozenset[str] = frozenset()


def read(objects: Iterable[Json], location: Json) -> Catalog:
    """Return what these objects (of TYPES) are at a location; raise ValueError for no menu."""
    return _Reader(list(objects), location).catalog()


class _Reader:
    def __init__(self, objects: list[Json], location: Json) -> None:
        self._location = location
        self._here = [each for each in objects if _present(each, location["id"])]
        self._notes: list[str] = []
        self._sizes: dict[str, Json] = {}
        self._groups: dict[str, Json] = {}
        self._variations: dict[tuple[str, str | None], str] = {}
        self._sold_out: set[str] = set()
        self._categories = {o["id"]: o["category_data"]["name"] for o in self._of("CATEGORY")}
        self._lists = {o["id"]: o["modifier_list_data"] for o in self._of("MODIFIER_LIST")}

    def _of(self, kind: str) -> Iterator[Json]:
        """Yield what is of a kind and has its data; other kinds are none of ours."""
        data = f"{kind.lower()}_data"
        return (o for o in self._here if o.get("type") == kind and isinstance(o.get(data), dict))

    def catalog(self) -> Catalog:
        items = [item for each in self._of("ITEM") if (item := self._item(each)) is not None]
        used = {item["category"] for item in items}
        named = {_OTHERS: "Others", **self._categories}
        menu = Menu.model_validate(
            {
                "name": self._location.get("business_name") or self._location.get("name") or "Menu",
                "currency": self._location.get("currency", "USD"),
                "time_zone": self._location.get("timezone", "UTC"),
                "language": self._location.get("language_code", "en").partition("-")[0],
                "tax_rate": self._tax_rate(),
                "sizes": list(self._sizes.values()),
                "categories": [{"id": i, "name": name} for i, name in named.items() if i in used],
                "modifier_groups": list(self._groups.values()),
                "items": items,
            }
        )
        modifiers = frozenset(m.id for group in menu.modifier_groups for m in group.modifiers)
        imported = ImportedMenu(menu, tuple(self._notes))
        return Catalog(imported, self._variations, modifiers, frozenset(self._sold_out))

    def _item(self, found: Json) -> Json | None:
        data = found["item_data"]
        if data.get("is_archived"):
            return None
        variations = [v for v in data.get("variations", []) if _present(v, self._location["id"])]
        priced = [(v, price) for v in variations if (price := self._price(v)) is not None]
        if len(priced) < len(variations):
            self._notes.append(
                f"{data['name']}: a price that is set at the time of sale is left out"
            )
        if not priced:
            return None
        defaults, groups = self._modifiers(data)
        item: Json = {
            "id": found["id"],
            "name": data["name"],
            "category": self._category(data),
            "modifier_groups": groups,
            "defaults": defaults,
        }
        if len(priced) == 1:
            item["price"] = priced[0][1]
            self._variations[found["id"], None] = priced[0][0]["id"]
        else:
            item["prices"] = {}
            for variation, price in priced:
                size = self._size(variation["item_variation_data"].get("name") or "Regular")
                item["prices"].setdefault(size, price)
                self._variations.setdefault((found["id"], size), variation["id"])
        if all(self._override(v).get("sold_out") for v, _ in priced):
            item["sold_out"] = True
            self._sold_out.add(found["id"])
        return item

    def _price(self, variation: Json) -> int | None:
        """Return a price in cents: the location's own, or the one for all."""
        data = variation.get("item_variation_data", {})
        money = self._override(variation).get("price_money") or data.get("price_money") or {}
        amount = money.get("amount")
        return amount if isinstance(amount, int) and amount >= 0 else None

    def _override(self, variation: Json) -> Json:
        overrides = variation.get("item_variation_data", {}).get("location_overrides", [])
        here = [o for o in overrides if o.get("location_id") == self._location["id"]]
        return here[0] if here else {}

    def _category(self, data: Json) -> str:
        """Return the category for reports, else the first, else the one of older versions."""
        places = [data.get("reporting_category") or {}, *data.get("categories", [])]
        ids = [place.get("id") for place in places] + [data.get("category_id")]
        return next((i for i in ids if i in self._categories), _OTHERS)

    def _size(self, name: str) -> str:
        size = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or name
        self._sizes.setdefault(size, {"id": size, "name": name})
        return size

    def _modifiers(self, data: Json) -> tuple[list[str], list[str]]:
        """Return an item's default modifiers and its groups."""
        defaults: list[str] = []
        groups: list[str] = []
        for info in data.get("modifier_list_info", []):
            found = self._lists.get(info.get("modifier_list_id"))
            if found is None or info.get("enabled") is False:
                continue
            if not found.get("modifiers"):
                self._notes.append(f"{data['name']}: {found.get('name')} is free text, left out")
                continue
            groups.append(self._group(info, found))
            overridden = {o["modifier_id"]: o for o in info.get("modifier_overrides", [])}
            for modifier in found["modifiers"]:
                own = overridden.get(modifier["id"], modifier.get("modifier_data", {}))
                if own.get("on_by_default"):
                    defaults.append(modifier["id"])
        return defaults, groups

    def _group(self, info: Json, found: Json) -> str:
        """Return the id of the group that is this list with an item's own bounds."""
        least, most = _bounds(info, found)
        group_id = f"{info['modifier_list_id']}:{least}-{'' if most is None else most}"
        if group_id not in self._groups:
            self._groups[group_id] = {
                "id": group_id,
                "name": found.get("name") or "Choices",
                "min": least,
                "max": most,
                "modifiers": [_modifier(m) for m in found["modifiers"]],
            }
        return group_id

    def _tax_rate(self) -> Decimal:
        """Return the tax that is added to all prices. With several, Square's own totals differ."""
        taxes = [t["tax_data"] for t in self._of("TAX") if t["tax_data"].get("enabled", True)]
        added = [t for t in taxes if t.get("inclusion_type", "ADDITIVE") == "ADDITIVE"]
        if len(added) > 1:
            self._notes.append(
                "several taxes: their rates are not added; totals are those of Square"
            )
        return Decimal(added[0].get("percentage", "0")) / 100 if len(added) == 1 else Decimal(0)


def _present(found: Json, location_id: str) -> bool:
    if found.get("is_deleted"):
        return False
    if found.get("present_at_all_locations", True):
        return location_id not in found.get("absent_at_location_ids", [])
    return location_id in found.get("present_at_location_ids", [])


def _bounds(info: Json, found: Json) -> tuple[int, int | None]:
    """Return how many modifiers must and may be chosen: the item's own bounds, else the list's."""
    least, most = (
        next(
            (v for each in (info, found) if (v := each.get(f"{m}_selected_modifiers", -1)) >= 0), -1
        )
        for m in ("min", "max")
    )
    if least < 0 and most < 0 and found.get("selection_type") == "SINGLE":
        return 1, 1
    return max(least, 0), most if most > 0 else None


def _modifier(found: Json) -> Json:
    data = found.get("modifier_data", {})
    price = (data.get("price_money") or {}).get("amount", 0)
    return {"id": found["id"], "name": data.get("name") or found["id"], "price": max(price, 0)}
