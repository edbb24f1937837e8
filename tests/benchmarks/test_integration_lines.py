"""What counts as a line of an integrator's."""

from __future__ import annotations

import integration_lines
import pytest


def test_lines_with_code_are_counted() -> None:
    """No comments, docstrings or empty lines."""
    python = '"""A module."""\n\n# why\nx = """text\nof two lines"""\n\n\ndef f():\n    """Do."""\n'
    assert integration_lines.lines_of_python(python + "    return x\n") == 4
    assert integration_lines.lines_of_javascript("/** Does\n * so. */\n// why\n\nf();\n") == 1


def test_every_example_is_where_the_script_looks(capsys: pytest.CaptureFixture[str]) -> None:
    """And shorter than what it stands for."""
    integration_lines.main()
    rows = [line.split("|")[2:4] for line in capsys.readouterr().out.splitlines()[2:9]]
    assert len(rows) == len(integration_lines.EXAMPLES)
    assert all(int(after) < int(before) for before, after in rows)
