"""Whole conversations against the demo menu: the cart, the status and the reasons at the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ordering_kit import hears, short

from voice_service.ordering import CompiledMenu

_CASES: list[dict[str, Any]] = [
    json.loads(line)
    for line in Path(__file__).with_name("conversations.jsonl").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize("case", _CASES, ids=[case["name"] for case in _CASES])
def test_conversation_ends_with_this_cart(demo: CompiledMenu, case: dict[str, Any]) -> None:
    """The cart is exactly what a person would write down, and the status says how sure we are."""
    update, reasons = hears(demo, case["say"])
    assert short(update.items) == sorted(_sorted(item) for item in case["items"])
    assert update.status == case["status"]
    assert set(case.get("reasons", ())) <= {reason.code for reason in reasons}


def test_the_suite_is_large_enough_and_names_are_unique() -> None:
    """A name in a failure must lead to one conversation."""
    assert len(_CASES) >= 60
    assert len({case["name"] for case in _CASES}) == len(_CASES)


def _sorted(item: str) -> str:
    quantity, name, *mods = item.split(" ")
    return " ".join([quantity, name, *sorted(mods)])
