"""The edges: what is said back, the command line, and the evaluation format."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from support.conversations import DEMO, benchmark, demo_menu, said

from voice_service.cli import main
from voice_service.commands.order import run, write_orders
from voice_service.ordering import CompiledMenu, Conversation, Heard, HeardWord


def test_read_back_of_a_whole_order(demo: CompiledMenu) -> None:
    """Quantity, size, name, changes, subtotal: what a guest can check."""
    update = said(demo, "two cheeseburgers with no onions and extra cheese, and a large Coke")
    assert update.readback == (
        "Thank you. 2 Cheeseburgers with extra Cheese and no Onions and 1 Large Coca-Cola."
        " That's $13.77 plus tax."
    )


def test_read_back_asks_what_is_open(demo: CompiledMenu) -> None:
    """The question of the first open reason ends the read-back."""
    update = Conversation(demo).hear(Heard(1, "a hamburger and a vanilla shake", 0.9))
    assert update.status == "clarify"
    assert update.readback.endswith(
        "What size Vanilla Shake would you like: Small, Medium or Large?"
    )


def test_an_unpriced_line_waits_and_the_rest_is_placed(demo: CompiledMenu) -> None:
    """A shake without its size cannot be priced: it is asked for, the burger goes ahead."""
    conversation = Conversation(demo)
    first = conversation.hear(Heard(1, "a vanilla shake and a hamburger", 0.9))
    assert [item.menu_item_id for item in first.items] == ["hamburger"]
    second = conversation.hear(Heard(2, "a large one", 0.9))
    assert [item.menu_item_id for item in second.items] == ["vanilla_shake", "hamburger"]
    assert second.status == "listening"


def test_line_ids_stay_while_the_order_changes(demo: CompiledMenu) -> None:
    """A line keeps its id through every change, so that screens can follow it."""
    conversation = Conversation(demo)
    first = conversation.hear(Heard(1, "a coke and a hamburger", 0.9)).items
    second = conversation.hear(Heard(2, "make the coke a large sprite", 0.9)).items
    assert [item.id for item in first] == [item.id for item in second] == ["1", "2"]
    assert second[0].menu_item_id == "sprite"


def test_changed_says_whether_the_order_differs(demo: CompiledMenu) -> None:
    """Only an utterance that changes the cart is worth an event."""
    conversation = Conversation(demo)
    assert conversation.hear(Heard(1, "a coke", 0.9)).changed
    assert not conversation.hear(Heard(2, "how much is that?", 0.9)).changed
    assert not conversation.end().changed


def test_three_misunderstandings_in_a_row_call_staff(demo: CompiledMenu) -> None:
    """A guest we cannot follow is not asked for ever."""
    conversation = Conversation(demo)
    statuses = [conversation.hear(Heard(n, "blorfix", 0.9)).status for n in (1, 2, 3)]
    assert statuses == ["clarify", "clarify", "needs_staff"]


def test_the_command_prints_orders_as_text_and_as_json(demo: CompiledMenu) -> None:
    """Plain lines, JSON strings and JSON lists of utterances, one order each."""
    source = ["Two Cokes\n", '"a hamburger"\n', '["a coke", "make it a large"]\n', "\n"]
    out = io.StringIO()
    write_orders(demo, source, out, jsonl=True)
    orders = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [o["items"][0]["menu_item_id"] for o in orders] == [
        "coca_cola",
        "hamburger",
        "coca_cola",
    ]
    assert [o["items"][0]["quantity"] for o in orders] == [2, 1, 1]
    assert orders[2]["items"][0]["size"] == "large"
    text = io.StringIO()
    write_orders(demo, source[:1], text, jsonl=False)
    assert text.getvalue() == "> Two Cokes\n  2 Medium Coca-Colas\n  confirmed\n"


def test_the_command_keeps_reasons_that_need_no_answer(demo: CompiledMenu) -> None:
    """A question of the guest is in the output, though it changed nothing."""
    out = io.StringIO()
    write_orders(demo, ["do you have onion rings? a coke"], out, jsonl=True)
    assert [r["code"] for r in json.loads(out.getvalue())["reasons"]] == ["question"]


def test_the_command_reads_a_file_and_refuses_what_is_no_menu(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 0 with orders on standard output, status 2 with a message on standard error."""
    file = tmp_path / "utterances.txt"
    file.write_text("a coke\n", "utf-8")
    assert run(DEMO, file, jsonl=False) == 0
    assert "1 Medium Coca-Cola" in capsys.readouterr().out
    broken = tmp_path / "menu.json"
    broken.write_text("{}", "utf-8")
    assert run(broken, file, jsonl=False) == 2
    assert "voice-service order:" in capsys.readouterr().err


def test_the_command_accepts_orders_as_the_service_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The settings for orders hold for it too, from the environment or as options."""
    file = tmp_path / "utterances.txt"
    file.write_text("three cokes\n", "utf-8")
    command = ["order", "--menu", str(DEMO), str(file)]
    assert main(command) == 0
    assert "  confirmed\n" in capsys.readouterr().out
    assert main([*command, "--most-items", "2"]) == 0
    assert "needs_staff" in capsys.readouterr().out
    monkeypatch.setenv("VOICE_MOST_OF_ITEM", "2")
    assert main(command) == 0
    assert "quantity_limit" in capsys.readouterr().out


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


def test_how_sure_a_spelling_is_says_nothing_about_a_number_of_the_same_sound() -> None:
    """What was shown as stable says "to", the final "two": the sound is the same."""
    text = "two hamburgers to cheeseburgers"
    words = tuple(HeardWord(word, 0.03 if word == "to" else 0.95) for word in text.split())
    conversation = Conversation(demo_menu())
    conversation.hear(Heard(1, text, 0.7, words))
    assert conversation.end().status == "confirmed"
