"""Small restaurants of other kinds, with orders written down before they were ever parsed.

What holds for them is what may be expected of a menu that nobody has tuned anything for. The data
are in the format of benchmarks/orders.py, so that the same figures can be printed:

    benchmarks/order_confidence.py --set restaurants/sushi.menu.json restaurants/sushi.jsonl
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.conversations import RESTAURANTS, benchmark, restaurant
from support.paths import BENCHMARKS

from order_events.menu.entries import Category, MenuItem
from order_events.menu.menu import Menu
from voice_service.ordering import CompiledMenu, Conversation, Heard
from voice_service.ordering.dialogue.policy import DEFAULT

_NAMES = ("sushi", "deli", "icecream", "diner", "indian", "barbecue", "bubbletea")
# Written later by somebody who had not read the parser, and not made easy for it.
_OTHERS = ("subs", "chicken", "bagels", "chinese", "smoothie", "chippy")
# Toppings that are items as well, corrections, half names denied.
_LATER = ("poke", "breakfast", "caff", "ramen", "pho", "hotdogs")
# In the style of people who write what they would say, one order in four a hard one.
_WRITTEN = (
    "taqueria",
    "pizzeria",
    "donuts",
    "crepes",
    "espressolab",
    "sportsbar",
    "nypizza",
    "cubancafe",
    "bibimbap",
    "platters",
    "wawaish",
    "banhmi",
    "dairyland",
)
_TALK = Path(__file__).with_name("small_talk.txt").read_text("utf-8").splitlines()


_AMERICANO = CompiledMenu(
    Menu(
        name="Coffee",
        categories=(Category(id="coffee", name="Coffee"),),
        items=(MenuItem(id="americano", name="Americano", category="coffee", price=300),),
    )
)


@cache
def _outcomes(name: str, stress: str, seeds: int = 1) -> Sequence[Any]:
    menu, data = RESTAURANTS / f"{name}.menu.json", RESTAURANTS / f"{name}.jsonl"
    return tuple(benchmark("order_confidence").outcomes(menu, data, stress, seeds))


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags)


def _right(stress: str, seeds: int = 1) -> float:
    shares = [_share([o.right for o in _outcomes(name, stress, seeds)]) for name in _NAMES]
    return sum(shares) / len(shares)


def test_each_restaurant_has_enough_orders() -> None:
    """A share of a handful of orders says nothing."""
    for name in _NAMES:
        assert len(_outcomes(name, "clean")) >= 29


@pytest.mark.parametrize("name", _NAMES)
def test_orders_for_any_restaurant_are_right(name: str) -> None:
    """Every item, size, quantity and modifier, of at least 97 % of orders as they were written."""
    wrong = [o for o in _outcomes(name, "clean") if not o.right]
    assert len(wrong) <= 0.03 * len(_outcomes(name, "clean"))


@pytest.mark.parametrize(
    ("stress", "seeds", "least"),
    [("names-only", 1, 0.80), ("fillers", 1, 0.94), ("noise:5", 3, 0.92), ("noise:10", 3, 0.87)],
)
def test_orders_under_stress_are_mostly_right(stress: str, seeds: int, least: float) -> None:
    """They are said without aliases, with hesitations, or with words misheard."""
    assert _right(stress, seeds) >= least


@pytest.mark.parametrize("name", _NAMES)
def test_clear_orders_need_no_person(name: str) -> None:
    """At least 85 % are accepted as they are."""
    outcomes = _outcomes(name, "clean")
    # An utterance that orders nothing has nothing to accept.
    assert _share([o.accepted(DEFAULT.least_confidence) for o in outcomes if o.items]) >= 0.85


@pytest.mark.parametrize(("stress", "seeds", "most"), [("clean", 1, 0.01), ("noise:10", 3, 0.02)])
def test_what_is_accepted_is_right(stress: str, seeds: int, most: float) -> None:
    """Orders accepted though wrong stay rare, also where words were misheard."""
    outcomes = [o for name in _NAMES for o in _outcomes(name, stress, seeds)]
    assert _share([o.accepted(DEFAULT.least_confidence) and not o.right for o in outcomes]) <= most


def test_orders_not_made_easy_are_mostly_right() -> None:
    """Twelve more restaurants: several told apart, ellipses, dishes that carry others."""
    outcomes = [o for name in (*_OTHERS, *_LATER) for o in _outcomes(name, "clean")]
    assert _share([o.right for o in outcomes]) >= 0.89
    assert _share([o.accepted(DEFAULT.least_confidence) and not o.right for o in outcomes]) <= 0.012


def test_orders_as_people_write_them_are_right() -> None:
    """Dishes made of choices, several told apart, corrections, half of a pizza and of a dozen."""
    outcomes = [o for name in _WRITTEN for o in _outcomes(name, "clean")]
    assert _share([o.right for o in outcomes]) >= 0.97
    assert _share([o.accepted(DEFAULT.least_confidence) for o in outcomes if o.items]) >= 0.9
    assert not [o for o in outcomes if o.accepted(DEFAULT.least_confidence) and not o.right]


def test_confidence_is_the_share_that_is_right() -> None:
    """Of the items that are given 0.9, about nine in ten are right."""
    items = [
        item
        for name in _NAMES
        for stress in ("clean", "noise:10", "noise:20")
        for outcome in _outcomes(name, stress, 3)
        for item in outcome.items
    ]
    for low, high in ((0.0, 0.8), (0.8, 0.9), (0.9, 1.01)):
        held = [(confidence, right) for confidence, right in items if low <= confidence < high]
        mean = sum(confidence for confidence, _ in held) / len(held)
        assert abs(mean - _share([right for _, right in held])) < 0.13


@pytest.mark.parametrize("name", ["demo", *_NAMES])
@pytest.mark.parametrize("stress", ["", "noise:10"])
def test_small_talk_orders_nothing(name: str, stress: str) -> None:
    """Over a hundred sentences that are no order, as they are and misheard, for every menu."""
    menu = restaurant(name)
    for sentence in _TALK:
        conversation = Conversation(menu)
        text = benchmark("orders").stressed(sentence, stress, 1)
        conversation.hear(Heard(1, text, 0.95))
        conversation.end()
        assert conversation.lines == (), text
    assert len(_TALK) >= 100


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("coffee", "so my fellow americans ask not what your country can do for you"),
        ("caff", "the bacon of those centuries wrote essays beside a quiet river"),
        ("ramen", "shall we meet near the harbour where ships unload butter"),
        ("pho", "seven"),
    ],
)
def test_stray_words_of_the_menu_ask_nothing(name: str, sentence: str) -> None:
    """What is lost among words that nothing explains is neither ordered nor asked about."""
    conversation = Conversation(_AMERICANO if name == "coffee" else restaurant(name))
    conversation.hear(Heard(1, sentence, 0.95))
    assert conversation.end().status == "listening"
    assert conversation.lines == ()


def test_one_unknown_word_in_an_order_is_asked_about() -> None:
    """It is asked about however sure the rest is."""
    conversation = Conversation(restaurant("caff"))
    asked = conversation.hear(Heard(1, "a bacon roll with gubbins", 0.95))
    assert [r.text for r in asked.reasons if r.question] == ["gubbins"]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    """They are the same in another process, whose sets are ordered differently."""
    written = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        script = BENCHMARKS / "orders.py"
        command = [sys.executable, str(script), "--stress", "noise", "20", "--out", str(out)]
        command += ["--menu", str(RESTAURANTS / "deli.menu.json")]
        command += ["--data", str(RESTAURANTS / "deli.jsonl")]
        path = os.pathsep.join(p for p in sys.path if p)
        subprocess.run(command, check=True, env={"PYTHONHASHSEED": seed, "PYTHONPATH": path})
        written.append(out.read_bytes())
    assert written[0] == written[1]
    assert len(written[0].splitlines()) == len(
        [json.loads(row) for row in (RESTAURANTS / "deli.jsonl").read_text("utf-8").splitlines()]
    )
