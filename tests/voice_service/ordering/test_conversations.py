"""Whole conversations, at the demo restaurant or a `menu` of their own, and how each ends."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.conversations import demo_menu, hears, short, written_menu

_FILES = ("conversations.jsonl", "conversations_es.jsonl")
_CASES: dict[str, dict[str, Any]] = {}
for _file in _FILES:
    for _line in Path(__file__).with_name(_file).read_text("utf-8").splitlines():
        _case = json.loads(_line)
        assert _case["name"] not in _CASES, f"two conversations are named {_case['name']!r}"
        _CASES[_case["name"]] = _case

KNOWN_WRONG = frozenset({"es: upright capitals and no accents"})
"""Conversations whose cart is not what a person would write down.

"Hamburguesa con champiñones" is taken for the menu's "Hamburguesa Suiza con Champiñones", and
accepted.
"""


@cache
def _mistake(name: str) -> str:
    """Return what is wrong with how a conversation ends, or nothing."""
    case = _CASES[name]
    if "menu" in case:
        menu = written_menu(case["menu"])
    else:
        menu = demo_menu(case.get("language", "en"), tuple(case.get("sold_out", ())))
    at = datetime.fromisoformat(case["at"]) if "at" in case else None
    update, reasons = hears(menu, case["say"], at=at)
    codes = sorted({reason.code for reason in reasons})
    expected = sorted(_sorted(item) for item in case["items"])
    right = (
        short(update.items) == expected
        and update.status == case["status"]
        and set(case.get("reasons", ())) <= set(codes)
    )
    return "" if right else f"{short(update.items)} {update.status} {codes}, not {expected}"


@pytest.mark.parametrize("name", sorted(_CASES.keys() - KNOWN_WRONG))
def test_conversation_ends_with_this_cart(name: str) -> None:
    """The cart is exactly what a person would write down, and the status says how sure we are."""
    assert not _mistake(name)


def test_most_conversations_are_right_and_the_others_are_known() -> None:
    """At least 95 % of at least 170 are right, and exactly those that are not are listed."""
    wrong = {name: _mistake(name) for name in _CASES if _mistake(name)}
    for name, mistake in wrong.items():
        print(f"{name}: {mistake}")
    assert len(_CASES) >= 170
    assert len(wrong) <= 0.05 * len(_CASES)
    assert set(wrong) == KNOWN_WRONG


def test_spanish_is_a_good_part_of_the_suite() -> None:
    """Another language runs through the same code."""
    assert sum(case.get("language") == "es" for case in _CASES.values()) >= 30


def _sorted(item: str) -> str:
    quantity, name, *mods = item.split(" ")
    return " ".join([quantity, name, *sorted(mods)])
