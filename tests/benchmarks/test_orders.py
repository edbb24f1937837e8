"""The evaluation of orders: its format, and stressed utterances."""

from __future__ import annotations

import pytest
from support.conversations import benchmark

from voice_service.ordering import CompiledMenu

_EVALUATION = {
    "restaurant": "corner",
    "items": [
        {"id": "soup", "category": "main", "aliases": ["soup", "broth"]},
        {"id": "chips", "category": "main", "aliases": ["chips"]},
    ],
    "modifier_groups": {
        "grain": [
            {"id": "rye|wheat", "aliases": ["bread"]},
            {"id": "rye", "aliases": ["rye bread"]},
            {"id": "wheat", "aliases": ["wheat bread"]},
        ],
        "shots": [
            {"id": "chili", "count": 1, "aliases": ["a shot of chili"]},
            {"id": "chili", "count": 2, "aliases": ["two shots of chili"]},
        ],
    },
    "sizes": [{"id": "large", "aliases": ["large"]}],
    "allowed": {"main": ["grain", "shots", "size"]},
    "category_words": {"main": ["main dish"]},
}


@pytest.mark.parametrize(
    ("utterance", "item", "size", "modifiers"),
    [
        ("a large broth with rye bread", "soup", "large", [("rye", None)]),
        ("a soup with bread", "soup", None, [("rye|wheat", None)]),
        ("a bread soup with rye bread", "soup", None, [("rye", None)]),
        ("a soup with two shots of chili", "soup", None, [("chili", 2)]),
    ],
)
def test_the_evaluation_format_is_read_and_written(
    utterance: str, item: str, size: str | None, modifiers: list[tuple[str, int | None]]
) -> None:
    """Sizes nobody named stay open, a modifier keeps its count, and what was settled is closed."""
    orders = benchmark("orders")
    source = orders.convert(_EVALUATION)
    row = orders.predict(CompiledMenu(source.menu), source, utterance)
    assert row["status"] == "confirmed"
    (line,) = row["order"]
    assert (line["item"], line["size"]) == (item, size)
    assert [(m["name"], m["count"]) for m in line["modifiers"]] == modifiers


def test_stress_is_the_same_for_the_same_seed() -> None:
    """A stressed utterance can be measured again."""
    orders = benchmark("orders")
    text = "a large soup with rye bread and two shots of chili please"
    for stress in ("fillers", "noise:20"):
        once, again, other = (orders.stressed(text, stress, seed) for seed in (1, 1, 2))
        assert once == again != other
    assert orders.stressed(text, "", 1) == text
    assert orders.names_only(_EVALUATION)["items"][0]["aliases"] == []
