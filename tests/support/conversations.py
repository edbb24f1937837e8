"""Run conversations given as text, and write orders in the short form of the expectations."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from types import ModuleType

from support.paths import BENCHMARKS, ORDERING_TESTS

import voice_service
from order_events.domain.drafts import ItemDraft
from order_events.menu.menu import Menu
from voice_service.ordering import CartUpdate, CompiledMenu, Conversation, Heard, Reason

RESTAURANTS = ORDERING_TESTS / "restaurants"
MENUS = ORDERING_TESTS / "menus"
DEMO = Path(voice_service.__file__).parent / "demo_menu.json"


@cache
def written_menu(name: str) -> CompiledMenu:
    """Return one of the test restaurants' menus."""
    return CompiledMenu(Menu.model_validate_json((MENUS / f"{name}.json").read_text("utf-8")))


@cache
def kinds_menu(name: str) -> CompiledMenu:
    """Return one of the menus that the conversations by kinds are for."""
    path = ORDERING_TESTS / "kinds" / "menus" / f"{name}.json"
    return CompiledMenu(Menu.model_validate_json(path.read_text("utf-8")))


@cache
def demo_menu(language: str = "en", sold_out: tuple[str, ...] = ()) -> CompiledMenu:
    """Return the demo menu for guests who speak `language`, compiled once."""
    menu = Menu.model_validate_json(DEMO.read_text("utf-8"))
    items = tuple(i.model_copy(update={"sold_out": i.id in sold_out}) for i in menu.items)
    return CompiledMenu(menu.model_copy(update={"items": items}), language)


def said(menu: CompiledMenu, *utterances: str, confidence: float = 0.95) -> CartUpdate:
    """Return the order after the guest has said all this and left."""
    conversation = Conversation(menu)
    for number, text in enumerate(utterances, start=1):
        conversation.hear(Heard(number, text, confidence))
    return conversation.end()


def hears(
    menu: CompiledMenu, utterances: Sequence[str], *, at: datetime | None = None
) -> tuple[CartUpdate, list[Reason]]:
    """Return the order at the end, and all reasons that came up on the way.

    `at` is the restaurant's local time.
    """
    conversation = Conversation(menu, at=at)
    reasons: list[Reason] = []
    for number, text in enumerate(utterances, start=1):
        reasons += conversation.hear(Heard(number, text, 0.95)).reasons
    last = conversation.end()
    return last, [*reasons, *last.reasons]


def short(items: Iterable[ItemDraft]) -> list[str]:
    """Write items as "2 cheeseburger/large +bacon(extra) -onions", modifiers and lines sorted.

    A part of a combo is marked: "1 >coca_cola/large".
    """
    lines = []
    for item in items:
        size = f"/{item.size}" if item.size else ""
        mods = sorted(
            ("-" if m.negated else "+")
            + m.id
            + (f"({m.qualifier})" if m.qualifier else "")
            + (f"*{m.quantity}" if m.quantity > 1 else "")
            for m in item.modifiers
        )
        part = ">" if item.part_of else ""
        lines.append(" ".join([f"{item.quantity} {part}{item.menu_item_id}{size}", *mods]))
    return sorted(lines)


def order(menu: CompiledMenu, *utterances: str) -> list[str]:
    """Return the items that these utterances order, in short form."""
    return short(said(menu, *utterances).items)


def codes(update: CartUpdate) -> set[str]:
    """Return the codes of an update's reasons."""
    return {reason.code for reason in update.reasons}


def benchmark(name: str) -> ModuleType:
    """Import a benchmark, which is a module beside the packages and in none of them."""
    folder = str(BENCHMARKS)
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)


@cache
def restaurant(name: str) -> CompiledMenu:
    """Return the menu of a restaurant made up for measurements; "demo" is the demo's."""
    if name == "demo":
        return demo_menu()
    file = json.loads((RESTAURANTS / f"{name}.menu.json").read_text("utf-8"))
    return CompiledMenu(benchmark("orders").convert(file).menu)
