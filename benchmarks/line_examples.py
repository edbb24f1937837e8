"""Orders with what each of their lines rests on, and whether it is right.

From conversations (the format of conversations.py) and from single utterances (that of orders.py).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carts import canonical, cart_of, judge, same_line
from conversations import by_menu, compiler, hold, rows_of
from order_confidence import plain
from orders import convert, names_only, order_of, stressed

from voice_service.ordering import CartUpdate, CompiledMenu
from voice_service.ordering.likelihood import Grounds
from voice_service.ordering.reasons import ReasonCode


@dataclass(frozen=True)
class Understood:
    """An order that was understood from what one guest said.

    `lines`: those that can be judged one by one, with whether each is right. `grounds`: of all
    lines. `right`: the order, or that somebody is asked. `asked`: something but a low confidence
    keeps it from being accepted. Those of a `scenario` stay together in a fold.
    """

    set: str
    scenario: str
    lines: Sequence[tuple[Grounds, bool]]
    grounds: Sequence[Grounds]
    right: bool
    asked: bool


def from_conversations(menu: Path, data: Path) -> Iterator[Understood]:
    """The conversations of a set, without those set aside."""
    for source, rows in by_menu(menu, rows_of(data, "without")):
        compiled = compiler(source)
        for row in rows:
            said = row.get("language")
            menu_said = compiled(None if said == "mixed" else said)
            conversation, update = hold(menu_said, row["utterances"])
            grounds = {line.id: line.grounds for line in conversation.lines}
            verdict = judge(row, cart_of(update.items), update.status, 0.0, source)
            yield Understood(
                data.stem,
                str(row.get("scenario", row["id"])),
                list(_judged(row["order"], update, grounds, source)),
                list(grounds.values()),
                verdict.right,
                _asked(update),
            )


def from_orders(menu: Path, data: Path, stress: str) -> Iterator[Understood]:
    """The utterances of a set under a stress of orders.py; "" is none."""
    file = json.loads(menu.read_text("utf-8"))
    source = convert(names_only(file) if stress == "names-only" else file)
    compiled = CompiledMenu(source.menu)
    for text in data.read_text("utf-8").splitlines():
        row = json.loads(text)
        conversation, update = hold(compiled, [stressed(row["utterance"], stress, 1)])
        order = order_of(conversation.lines, source)
        wanted = Counter(map(plain, row["order"]))
        right = wanted == Counter(map(plain, order))
        lines: list[tuple[Grounds, bool]] = []
        if len(order) == len(conversation.lines):
            for line, item in zip(conversation.lines, order, strict=True):
                found = wanted[plain(item)] > 0
                wanted[plain(item)] -= found
                lines.append((line.grounds, found))
        grounds = [line.grounds for line in conversation.lines]
        scenario = f"{data.stem} {row['id']}"
        yield Understood(f"orders {stress}", scenario, lines, grounds, right, _asked(update))


def _judged(
    gold: Sequence[Mapping[str, Any]],
    update: CartUpdate,
    grounds: Mapping[str, Grounds],
    source: Mapping[str, Any],
) -> Iterator[tuple[Grounds, bool]]:
    """Each line that is no combo, nor part of one, with whether it is in the expected cart."""
    left = list(canonical(gold, source))
    combos = {item.part_of for item in update.items}
    for item in update.items:
        if item.part_of is None and item.id is not None and item.id not in combos:
            [line] = canonical(cart_of([item]), source)
            hit = next((other for other in left if same_line(other, line)), None)
            if hit is not None:
                left.remove(hit)
            yield grounds[item.id], hit is not None


def _asked(update: CartUpdate) -> bool:
    """Return whether the order would not be accepted even if all its lines were certain."""
    doubtful = [r for r in update.reasons if r.code == ReasonCode.LOW_CONFIDENCE]
    others = [r for r in update.reasons if r.question is not None and r not in doubtful]
    return bool(others) or (update.status != "confirmed" and not doubtful)
