"""When two carts are the same, and what became of a conversation.

Pure: plain JSON values in, verdicts out. A cart is a list of lines `{item, quantity, size,
modifiers: [{group, name, qualifier, negated, count}], parts: {slot: line}}`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from order_events.domain.drafts import ItemDraft

Cart = Sequence[Mapping[str, Any]]
_Key = tuple[str, str, bool, int]


@dataclass(frozen=True)
class Outcome:
    """What became of one conversation, and how likely its order was said to be right (0 to 1).

    `cart_right`: the cart is the expected one. `right`: that, or somebody was asked where that is
    right. `wants_cart`: nothing but the right cart will do.
    """

    id: str
    kind: str
    right: bool
    asked: bool
    cart_right: bool
    wants_cart: bool
    confidence: float

    @property
    def silently_wrong(self) -> bool:
        """True if a wrong order was accepted without a person."""
        return not self.right and not self.asked


def cart_of(items: Iterable[ItemDraft]) -> list[dict[str, Any]]:
    """The items of an order as a cart; the parts of a combo go under its line."""
    lines: list[dict[str, Any]] = []
    by_id: dict[str | None, dict[str, Any]] = {}
    for item in items:
        line = {
            "item": item.menu_item_id,
            "quantity": item.quantity,
            "size": item.size,
            "modifiers": [
                {
                    "group": m.group,
                    "name": m.id,
                    "qualifier": m.qualifier,
                    "negated": m.negated,
                    "count": m.quantity,
                }
                for m in item.modifiers
            ],
        }
        if item.part_of:
            by_id[item.part_of].setdefault("parts", {})[item.slot] = line
        else:
            lines.append(line)
            by_id[item.id] = line
    return lines


def judge(row: Mapping[str, Any], cart: Cart, status: str, confidence: float, menu: Any) -> Outcome:
    """The outcome of a row `{id, order, expect}`; `menu` is the menu's JSON.

    `expect` is "cart" (the cart must be right), "ask" (a question or a person is right) or
    "either". An order that stays empty was asked about only if the guest was told so.
    """
    cart_right = same_cart(canonical(row["order"], menu), canonical(cart, menu))
    asked = status != "confirmed"
    if not row["order"] and not cart:
        asked = status not in ("confirmed", "listening")
    expect = row["expect"]
    right = {"cart": cart_right, "ask": asked, "either": cart_right or asked}[expect]
    kind = str(row.get("kind", ""))
    return Outcome(row["id"], kind, right, asked, cart_right, expect == "cart", confidence)


def canonical(cart: Cart, menu: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines with defaults filled in and equal ones added up."""
    items = {item["id"]: item for item in menu["items"]}
    merged: list[dict[str, Any]] = []
    for line in (_canonical_line(line, items, part=False) for line in cart):
        alike = next((m for m in merged if {**m, "quantity": 0} == {**line, "quantity": 0}), None)
        if alike is None:
            merged.append(line)
        else:
            alike["quantity"] += line["quantity"]
    return merged


def _canonical_line(
    line: Mapping[str, Any], items: Mapping[str, Any], *, part: bool
) -> dict[str, Any]:
    item = items[line["item"]]
    required: list[tuple[_Key, int | None]] = []
    optional: list[_Key] = []
    for m in line.get("modifiers", ()):
        key = (m["name"], m.get("qualifier") or "", bool(m.get("negated")), m.get("count") or 1)
        if key[1:] == ("", False, 1) and m["name"] in item.get("defaults", ()):
            continue
        if m.get("optional"):
            optional.append(key)
        else:
            required.append((key, m.get("or_count")))
    parts = {}
    for slot in item.get("slots") or ():
        given = (line.get("parts") or {}).get(slot["id"])
        given = given or ({"item": slot["default"]} if slot.get("default") else None)
        if given:
            parts[slot["id"]] = _canonical_line({**given, "quantity": 1}, items, part=True)
    return {
        "item": line["item"],
        "quantity": line.get("quantity") or 1,
        "size": line.get("size") or (None if part else item.get("default_size")),
        "required": sorted(required, key=str),
        "optional": optional,
        "parts": parts,
        "part": part,
    }


def same_cart(gold: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether two canonical carts hold the same lines, in any order."""
    left = list(got)
    for line in gold:
        hit = next((other for other in left if same_line(line, other)), None)
        if hit is None:
            return False
        left.remove(hit)
    return not left


def same_line(gold: Mapping[str, Any], got: Mapping[str, Any]) -> bool:
    """Return whether two canonical lines are the same."""
    if (gold["item"], gold["quantity"]) != (got["item"], got["quantity"]):
        return False
    if gold["size"] != got["size"] and not (gold["part"] and not gold["size"]):
        return False
    left = [key for key, _ in got["required"]]
    for key, count in gold["required"]:
        name, qualifier, negated, _ = key
        ways = [key]
        if count:
            ways += [(name, "", negated, count), (name, qualifier, negated, count)]
        hit = next((way for way in ways if way in left), None)
        if hit is None:
            return False
        left.remove(hit)
    for key in gold["optional"]:
        if key in left:
            left.remove(key)
    parts = gold["parts"]
    same_slots = set(parts) == set(got["parts"])
    return not left and same_slots and all(same_line(parts[s], got["parts"][s]) for s in parts)


def summary(outcomes: Sequence[Outcome]) -> str:
    """The figures of a set in one line; the interval is Wilson's at 95 %."""
    n = len(outcomes)
    accepted = sum(not o.asked for o in outcomes)
    wrong = sum(o.silently_wrong for o in outcomes)
    carts = [o for o in outcomes if o.wants_cart]
    served = sum(o.cart_right and not o.asked for o in carts)
    low, high = wilson(wrong, accepted)
    return (
        f"{n} conversations: right {percent(sum(o.right for o in outcomes), n)},"
        f" accepted {percent(accepted, n)},"
        f" wrong of accepted {percent(wrong, accepted)} ({low:.1f} to {high:.1f}),"
        f" accepted and right of those with a cart {percent(served, len(carts))}"
    )


def percent(part: int, whole: int) -> str:
    """A share in per cent; "-" of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share, in per cent (Wilson 1927)."""
    if not n:
        return 0.0, 100.0
    share, square = hits / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return 100 * (middle - half), 100 * (middle + half)
