"""`voice-service menu`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import voice_service
from order_events.menu.diagnostics import read_menu
from voice_service.cli import main

_DEMO = Path(voice_service.__file__).parent / "demo_menu.json"


def status(*arguments: object) -> int:
    """Return the exit status of a command."""
    try:
        return main([str(argument) for argument in arguments]) or 0
    except SystemExit as exit_:
        return int(exit_.code or 0)


def test_a_menu_goes_to_csv_and_comes_back(tmp_path: Path) -> None:
    """Exported and imported, it is the same menu."""
    table, menu = tmp_path / "menu.csv", tmp_path / "menu.json"
    assert status("menu", "export", _DEMO, "--out", table) == 0
    assert status("menu", "import", table, "--out", menu) == 0
    assert read_menu(menu.read_text("utf-8")) == read_menu(_DEMO.read_text("utf-8"))


def test_what_is_wrong_is_said_with_the_file_and_the_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The status is 2, with a line per fault, and nothing is written."""
    table, broken = tmp_path / "menu.csv", tmp_path / "menu.json"
    table.write_text("name,category,price\nTea,Hot,two\n", "utf-8")
    assert status("menu", "import", table, "--out", broken) == 2
    assert "menu.csv: row 2, price: 'two' is not an amount" in capsys.readouterr().err
    assert not broken.exists()
    broken.write_text('{"name": "x", "categories": []}', "utf-8")
    assert status("menu", "check", broken) == 2
    assert "menu.json: items: is missing" in capsys.readouterr().err
    assert status("menu", "check", tmp_path / "none.json") == 2
    assert status("menu", "check", _DEMO) == 0


def test_a_menu_in_a_language_that_nobody_understands_is_told_with_its_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no fault, as the guests may speak another language, but whoever checks must know."""
    menu, said = tmp_path / "menu.json", tmp_path / "said.txt"
    menu.write_text(json.dumps(json.loads(_DEMO.read_text("utf-8")) | {"language": "fr"}), "utf-8")
    said.write_text("a hamburger\n", "utf-8")
    assert status("menu", "check", menu) == 0
    assert "menu.json: language: 'fr' is not understood, only en, es" in capsys.readouterr().err
    assert status("order", "--menu", menu, said) == 2
    told = capsys.readouterr().err
    assert "menu.json: language: 'fr' is not understood, only en, es" in told
    assert "--language" in told
    assert status("order", "--menu", menu, "--language", "en", said) == 0
