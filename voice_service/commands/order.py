"""`voice-service order`: turn text into orders, one utterance or conversation per line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from order_events.domain.drafts import ItemDraft
from order_events.menu.diagnostics import MenuError, read_menu
from voice_service.ordering.dialogue.conversation import Conversation
from voice_service.ordering.dialogue.policy import DEFAULT, Thresholds
from voice_service.ordering.dialogue.readback import describe
from voice_service.ordering.dialogue.turns import CartUpdate, Heard, Reason, WeighedReading
from voice_service.ordering.menu.compiled import CompiledMenu


def run(
    menu_path: Path,
    file: Path | None,
    *,
    jsonl: bool,
    tag: str | None = None,
    thresholds: Thresholds = DEFAULT,
) -> int:
    """Read `file`, or standard input for None or "-", and print orders; return the exit status.

    `tag` is the guests' language, or several ("es,en"); None is that of the menu. For a menu or a
    file that cannot be used, a message goes to standard error, and the status is 2.
    """
    try:
        menu = _compiled(menu_path, tag)
        if file is None or str(file) == "-":
            write_orders(menu, sys.stdin, sys.stdout, jsonl=jsonl, thresholds=thresholds)
        else:
            with file.open(encoding="utf-8") as source:
                write_orders(menu, source, sys.stdout, jsonl=jsonl, thresholds=thresholds)
    except BrokenPipeError:
        raise  # the reader of the output is gone: no error of the menu or the file
    except MenuError as error:
        lines = [f"voice-service order: {menu_path}: {fault}\n" for fault in error.faults]
        sys.stderr.write("".join(lines))
        return 2
    except (OSError, ValueError) as error:
        sys.stderr.write(f"voice-service order: {error}\n")
        return 2
    return 0


def _compiled(path: Path, tag: str | None) -> CompiledMenu:
    """Compile the menu for guests who speak `tag`; raises MenuError, or ValueError for `tag`."""
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
    """Write the order of each line of `source` to `out`.

    A line is plain text or a JSON value: a string (one utterance) or a list of strings (a
    conversation). With `jsonl`, each order is a line of JSON.
    """
    for utterances in conversations(source):
        understood = follow(menu, utterances, thresholds)
        if jsonl:
            out.write(json.dumps(as_json(utterances, understood), ensure_ascii=False) + "\n")
        else:
            out.write(as_text(menu, utterances, understood))
        out.flush()


def conversations(source: Iterable[str]) -> Iterator[list[str]]:
    """Yield the utterances of each line that is not empty."""
    for text in source:
        line = text.strip()
        if line:
            yield _utterances(line)


@dataclass(frozen=True)
class Followed:
    """A conversation: the order after each utterance (`turns`), and after the guest has gone.

    The `end` also has the reasons that came up on the way and asked nothing.
    """

    turns: tuple[CartUpdate, ...]
    end: CartUpdate


def follow(
    menu: CompiledMenu, utterances: Iterable[str], thresholds: Thresholds = DEFAULT
) -> Followed:
    """Return what is understood of a conversation, utterance by utterance."""
    conversation = Conversation(menu, thresholds)
    turns = tuple(conversation.hear(Heard(n, text, 1.0)) for n, text in enumerate(utterances, 1))
    end = conversation.end()
    notes = dict.fromkeys(r for turn in turns for r in turn.reasons if r.question is None)
    missing = [r for r in notes if r not in end.reasons]
    return Followed(turns, replace(end, reasons=(*end.reasons, *missing)))


def understand(
    menu: CompiledMenu, utterances: Iterable[str], thresholds: Thresholds = DEFAULT
) -> CartUpdate:
    """Return the order after these utterances, with every reason that came up on the way."""
    return follow(menu, utterances, thresholds).end


def as_json(utterances: list[str], understood: Followed) -> dict[str, Any]:
    """Return an order, and how each utterance was understood, as plain JSON values."""
    update = understood.end
    return {
        "utterances": utterances,
        "status": update.status,
        "items": [item.model_dump(exclude_none=True) for item in update.items],
        "reasons": [asdict(reason) for reason in update.reasons],
        "readback": update.readback,
        "notes": update.notes,
        "customer_name": update.customer_name,
        "table_number": update.table_number,
        "turns": [
            {
                "status": turn.status,
                "change": turn.change,
                "reasons": [asdict(reason) for reason in turn.reasons],
                "readings": [asdict(reading) for reading in turn.readings],
            }
            for turn in understood.turns
        ],
    }


def as_text(menu: CompiledMenu, utterances: list[str], understood: Followed) -> str:
    """Return an order, and how each utterance was understood, as text for people."""
    update = understood.end
    lines = []
    for text, turn in zip(utterances, understood.turns, strict=True):
        lines += [f"> {text}", f"    {turn.status}", *map(_reason, turn.reasons)]
        if len(turn.readings) > 1:
            lines += map(_reading, turn.readings)
    lines += [f"{_indent(item)}{describe(item, menu)}" for item in update.items]
    lines.append(f"  {update.status}")
    lines += [f"  {reason.code}: {reason.text}" for reason in update.reasons]
    return "\n".join(lines) + "\n"


def _reason(reason: Reason) -> str:
    return f"    {reason.code}: {reason.text}"


def _reading(reading: WeighedReading) -> str:
    """Return a reading with its probability and what decided about it."""
    because = ", ".join(f"{sign.feature} {sign.weight:+.2f}" for sign in reading.because)
    taken = "read as" if reading.taken else "not as"
    return f"    {taken} {reading.name} {reading.probability:.2f}" + (because and f" ({because})")


def _indent(item: ItemDraft) -> str:
    """Return an item's indentation: a combo's parts are indented below it."""
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
