"""The ways to order, each on the menu of the demo or of another restaurant."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from support.conversations import restaurant

from voice_service.ordering import Conversation, Heard
from voice_service.ordering.cart.cart import Line

_CASES: list[dict[str, Any]] = [
    json.loads(line)
    for line in Path(__file__).with_name("ways_to_order.jsonl").read_text("utf-8").splitlines()
]


def _short(lines: Iterable[Line]) -> list[str]:
    """Return lines as they were said: "2 cheeseburger/large +bacon(extra) -onions"."""
    shorts = []
    for line in lines:
        mods = sorted(
            ("-" if m.negated else "+")
            + m.id
            + (f"({m.qualifier})" if m.qualifier else "")
            + (f"*{m.quantity}" if m.quantity > 1 else "")
            for m in line.mods
        )
        size = f"/{line.size}" if line.size else ""
        shorts.append(" ".join([f"{line.count} {line.item}{size}", *mods]))
    return sorted(shorts)


def _sorted(item: str) -> str:
    quantity, name, *mods = item.split(" ")
    return " ".join([quantity, name, *sorted(mods)])


@pytest.mark.parametrize("case", _CASES, ids=[" / ".join(case["say"]) for case in _CASES])
def test_what_is_said_is_what_is_ordered(case: dict[str, Any]) -> None:
    """All that was said is ordered and nothing else; a question orders nothing."""
    conversation = Conversation(restaurant(case["menu"]))
    for number, text in enumerate(case["say"], start=1):
        conversation.hear(Heard(number, text, 0.95))
    conversation.end()
    assert _short(conversation.lines) == sorted(_sorted(item) for item in case["items"])
