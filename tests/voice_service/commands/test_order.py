"""`voice-service order`: orders from text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import voice_service
from voice_service.cli import main

_DEMO = Path(voice_service.__file__).parent / "demo_menu.json"


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
    command = ("order", "--menu", _DEMO, "--jsonl", "--language")
    assert status(*command, "es-MX", said) == 0
    order = json.loads(capsys.readouterr().out)
    assert order["readback"].startswith("Gracias. 2 Hamburguesas.")
    assert status(*command, "tlh", said) == 2
    assert "only en, es" in capsys.readouterr().err
