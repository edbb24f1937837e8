"""The page for operators knows every alert and every command."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml
from support.paths import DOCS

from order_events.__main__ import main

PAGE = (DOCS / "operations.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m order_events (.*?)\s*(?:#.*)?$", PAGE, re.MULTILINE)


def test_every_alert_is_explained() -> None:
    """What it means, and what to do."""
    alerts = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))
    names = {rule["alert"] for group in alerts["groups"] for rule in group["rules"]}
    explained = set(re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]*)+\b", PAGE.partition("## Alerts")[2]))
    assert names - explained == set()


def test_the_page_has_all_commands() -> None:
    """For operators."""
    used = {shlex.split(command)[0] for command in COMMANDS}
    assert {"backup", "restore", "check", "upgrade", "promote"} <= used


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_is_understood(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--help` is printed only if nothing before it is wrong."""
    with pytest.raises(SystemExit) as ended:
        main([*shlex.split(command), "--help"])
    assert ended.value.code == 0
    assert "usage:" in capsys.readouterr().out
