"""`voice-service menu`: check menus in files, and convert them from and to CSV."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from order_events.menu.csv_format import from_csv, to_csv
from order_events.menu.diagnostics import MenuError, read_menu
from order_events.menu.menu import Menu
from voice_service.ordering.language.loader import language


def run(action: str, file: Path, out: Path | None, complain: Callable[[str], None]) -> int:
    """Run the command; return the exit status, 2 for a file that cannot be used.

    `complain` gets the reasons.
    """
    try:
        text = file.read_text("utf-8-sig")
        if action == "import":
            _write(_as_json(from_csv(text)), out)
        elif action == "export":
            _write(to_csv(read_menu(text)), out)
        else:
            menu = read_menu(text)
            sys.stdout.write(f"{menu.name}: {len(menu.items)} items, no faults\n")
            _understood(menu, file, complain)
    except MenuError as error:
        complain("\n".join(f"{file}: {fault}" for fault in error.faults))
        return 2
    except (OSError, UnicodeDecodeError) as error:
        complain(f"{file}: {error}")
        return 2
    return 0


def _understood(menu: Menu, file: Path, complain: Callable[[str], None]) -> None:
    """Report a menu whose language is not understood: no fault, as guests may speak another."""
    try:
        language(menu.language)
    except ValueError as error:
        complain(f"{file}: {error}; guests who speak one of these can still be served")


def _as_json(menu: Menu) -> str:
    """Return the menu without defaults, as a person would have written it."""
    return menu.model_dump_json(indent=2, exclude_defaults=True) + "\n"


def _write(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, "utf-8")
