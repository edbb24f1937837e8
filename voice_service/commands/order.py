"""`voice-service order`: orders from text, one utterance or conversation per line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from order_events.domain.drafts import ItemDraft
from order_events.menu.diagnostics import MenuError, read_menu
from voice_service.ordering.dialogue.conversation import Conversation
from voice_service.ordering.dialogue.policy import DEFAULT, Thresholds
from voice_service.ordering.dialogue.readback import describe
from voice_service.ordering.dialogue.turns import CartUpdate, Heard
from voice_service.ordering.menu.compiled import CompiledMenu


def run(
    menu_path: Path,
    file: Path | None,
    *,
    jsonl: bool,
    tag: str | None = None,
    thresholds: Thresholds = DEFAULT,
) -> int:
    """The command: reads `file`, or standard input for None or "-"; returns the exit status.

    `tag` is the guests' language, or several ("es,en"); that of the menu if it is left out. A menu
    or a file that cannot be used is a message on standard error and status 2.
    """
    try:
        menu = _compiled(menu_path, tag)
        if file is None or str(file) == "-":
            write_orders(menu, sys.stdin, sys.stdout, jsonl=jsonl, thresholds=thresholds)
        else:
            with file.open(encoding="utf-8") as source:
                write_orders(menu, source, sys.stdout, jsonl=jsonl, thresholds=thresholds)
    except BrokenPipeError:
        raise  # the reader has enough: not an error of the menu or the file
    except MenuError as error:
        lines = [f"voice-service order: {menu_path}: {fault}\n" for fault in error.faults]
        sys.stderr.write("".join(lines))
        return 2
    except (OSError, ValueError) as error:
        sys.stderr.write(f"voice-service order: {error}\n")
        return 2
    return 0


def _compiled(path: Path, tag: str | None) -> CompiledMenu:
    """The menu for guests who speak `tag`; raises MenuError, or ValueError for the option."""
    menu = read_menu(path.read_text("utf-8"))
    try:
        return CompiledMenu(menu, tag)
    except ValueError as error:
        if tag is not None:
            raise
        raise MenuError([f"{error}; say what the guests speak with --language"]) from error


def write_orders(
    menu: CompiledMenu,
    source: Iterable[str],
    out: TextIO,
    *,
    jsonl: bool,
    thresholds: Thresholds = DEFAULT,
) -> None:
    """Writes the order of each line of `source` to `out`.

    A line is plain text, or a JSON value: a string (one utterance) or a list of strings (a
    conversation). With `jsonl` each order is one JSON object.
    """
    for utterances in conversations(source):
        update = understand(menu, utterances, thresholds)
        if jsonl:
            out.write(json.dumps(as_json(utterances, update), ensure_ascii=False) + "\n")
        else:
            out.write(as_text(menu, utterances, update))
        out.flush()


def conversations(source: Iterable[str]) -> Iterator[list[str]]:
    """The utterances of each line that is not empty."""
    for text in source:
        line = text.strip()
        if line:
            yield _utterances(line)


def understand(
    menu: CompiledMenu, utterances: Iterable[str], thresholds: Thresholds = DEFAULT
) -> CartUpdate:
    """The order after these utterances, with every reason that came up on the way."""
    conversation = Conversation(menu, thresholds)
    notes = []
    for number, text in enumerate(utterances, start=1):
        update = conversation.hear(Heard(number, text, 1.0))
        notes += [r for r in update.reasons if r.question is None]
    last = conversation.end()
    missing = [r for r in dict.fromkeys(notes) if r not in last.reasons]
    return CartUpdate(
        last.items,
        last.status,
        (*last.reasons, *missing),
        last.readback,
        last.changed,
        notes=last.notes,
    )


def as_json(utterances: list[str], update: CartUpdate) -> dict[str, Any]:
    """An order as plain JSON values."""
    return {
        "utterances": utterances,
        "status": update.status,
        "items": [item.model_dump(exclude_none=True) for item in update.items],
        "reasons": [asdict(reason) for reason in update.reasons],
        "readback": update.readback,
        "notes": update.notes,
    }


def as_text(menu: CompiledMenu, utterances: list[str], update: CartUpdate) -> str:
    """An order to read."""
    lines = [f"> {text}" for text in utterances]
    lines += [f"{_indent(item)}{describe(item, menu)}" for item in update.items]
    lines.append(f"  {update.status}")
    lines += [f"  {reason.code}: {reason.text}" for reason in update.reasons]
    return "\n".join(lines) + "\n"


def _indent(item: ItemDraft) -> str:
    """A combo's parts stand below it."""
    return "  " if item.part_of is None else "    "


def _utterances(line: str) -> list[str]:
    try:
        value = json.loads(line)
    except ValueError:
        return [line]
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    return [line]
