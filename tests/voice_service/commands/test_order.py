"""The command that turns utterances into orders."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from support.conversations import DEMO, demo_menu

from voice_service.cli import main
from voice_service.commands.order import run, write_orders
from voice_service.ordering import CompiledMenu


@pytest.fixture(scope="module")
def demo() -> CompiledMenu:
    """The demo restaurant's menu."""
    return demo_menu()


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
    assert text.getvalue() == "> Two Cokes\n    listening\n  2 Medium Coca-Colas\n  confirmed\n"


def test_the_command_says_how_each_utterance_was_understood(demo: CompiledMenu) -> None:
    """Its status and reasons, and where it could be meant in several ways, what decided."""
    source = ['["a coke", "a coke"]']
    out = io.StringIO()
    write_orders(demo, source, out, jsonl=False)
    first, second, *_ = out.getvalue().split("> ")[1:]
    assert first == "a coke\n    listening\n"
    assert "    clarify\n    again_or_same: Coca-Cola\n    read as restated 0." in second
    assert "identical +" in second
    assert "    not as as_said 0." in second
    out = io.StringIO()
    write_orders(demo, source, out, jsonl=True)
    plain, doubtful = json.loads(out.getvalue())["turns"]
    assert (plain["status"], plain["reasons"]) == ("listening", [])
    assert [r["name"] for r in plain["readings"]] == ["as_said"]
    assert [r["code"] for r in doubtful["reasons"]] == ["again_or_same"]
    assert [r["name"] for r in doubtful["readings"] if r["taken"]] == ["restated"]


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


def status(*arguments: object) -> int:
    """Return the exit status of a command."""
    try:
        return main([str(argument) for argument in arguments]) or 0
    except SystemExit as exit_:
        return int(exit_.code or 0)


def test_orders_are_read_in_the_guests_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same menu works in Spanish; a language that is not understood is an error."""
    said = tmp_path / "said.txt"
    said.write_text('["una hamburguesa", "que sean dos"]\n', "utf-8")
    command = ("order", "--menu", DEMO, "--jsonl", "--language")
    assert status(*command, "es-MX", said) == 0
    order = json.loads(capsys.readouterr().out)
    assert order["readback"].startswith("Gracias. 2 Hamburguesas.")
    assert status(*command, "tlh", said) == 2
    assert "only en, es" in capsys.readouterr().err
