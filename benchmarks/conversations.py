"""Whole conversations: what share of the carts is right, and what was accepted though wrong.

    conversations.py --menu MENU.json --data DATA.jsonl [--menu … --data …] [options]

Each data line is one guest: `{id, utterances, order, expect}`, optionally `kind` and `language`.
`order` is the expected cart (see carts.py), `expect` "cart", "ask" or "either". Menus are in the
product's own format. If --menu is a folder, each row's `menu` names a file in it; "demo" is the
demo's. Several pairs are pooled after each has been printed.

--names-only          the menus without their aliases
--language TAG        what the guests speak, where a row says no language (or "mixed")
--aside only|without  the third of the rows that no weights are fitted on, or the rest
--kinds               the figures of each kind
--errors N            the first N wrong ones, word for word
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from carts import Outcome, cart_of, judge, percent, summary

import voice_service
from order_events.menu.diagnostics import read_menu
from voice_service.commands.order import understand
from voice_service.ordering import CartUpdate, CompiledMenu, Conversation, Heard
from voice_service.ordering.readings.model import Ranker

DEMO = Path(voice_service.__file__).with_name("demo_menu.json")
_EDGES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.001)


def is_aside(row_id: str) -> bool:
    """Return whether a row belongs to the third that is neither read nor fitted on."""
    return int(hashlib.sha256(row_id.encode()).hexdigest(), 16) % 3 == 0


def rows_of(data: Path, aside: str | None) -> list[dict[str, Any]]:
    """The rows of a set: all, only those set aside, or the rest."""
    rows = [json.loads(line) for line in data.read_text("utf-8").splitlines() if line.strip()]
    return [row for row in rows if not aside or is_aside(row["id"]) is (aside == "only")]


def by_menu(
    menu: Path, rows: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[dict[str, Any], list[Mapping[str, Any]]]]:
    """Each menu's JSON, with the rows that are for it."""
    named: dict[Path, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        own = DEMO if row.get("menu") == "demo" else menu / f"{row.get('menu')}.json"
        named[own if menu.is_dir() else menu].append(row)
    for path, held in named.items():
        yield json.loads(path.read_text("utf-8")), held


def compiler(source: Mapping[str, Any]) -> Callable[[str | None], CompiledMenu]:
    """What compiles a menu for guests of a language, once for each."""
    menu = read_menu(json.dumps(source))
    return cache(lambda tag: CompiledMenu(menu, tag))


def hold(
    menu: CompiledMenu, utterances: Sequence[str], ranker: Ranker | None = None
) -> tuple[Conversation, CartUpdate]:
    """A whole conversation, every word heard for certain, and the order at its end."""
    conversation = Conversation(menu, ranker=ranker)
    for number, text in enumerate(utterances, start=1):
        conversation.hear(Heard(number, text, 1.0))
    return conversation, conversation.end()


def bare(value: Any) -> Any:
    """A menu without its aliases."""
    if isinstance(value, dict):
        return {key: bare(inner) for key, inner in value.items() if key != "aliases"}
    return [bare(inner) for inner in value] if isinstance(value, list) else value


def confidence_of(update: CartUpdate) -> float:
    """How likely the order is right: that of its least certain item."""
    return min((item.confidence or 0.0 for item in update.items), default=0.0)


def outcomes(
    source: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], language: str | None
) -> Iterator[tuple[Mapping[str, Any], CartUpdate, Outcome]]:
    """Each row with the order that came of it, and the verdict."""
    compiled = compiler(source)
    for row in rows:
        said = row.get("language")
        tag = language if said in (None, "mixed") else said
        update = understand(compiled(tag), row["utterances"])
        cart, confidence = cart_of(update.items), confidence_of(update)
        yield row, update, judge(row, cart, update.status, confidence, source)


def print_error(row: Mapping[str, Any], update: CartUpdate) -> None:
    """One conversation that ended wrong."""
    print(f"--- {row['id']} {row.get('kind', '')}: expects {row['expect']}, got {update.status}")
    for text in row["utterances"]:
        print(f"   > {text}")
    print(f"   expected: {json.dumps(row['order'], ensure_ascii=False)}")
    print(f"   got:      {update.readback}")
    print(f"   reasons:  {[(reason.code, reason.text) for reason in update.reasons][:6]}")


def reliability(seen: Sequence[Outcome]) -> None:
    """Print how many orders were right by the confidence they were given."""
    with_cart = [o for o in seen if o.confidence > 0]
    error = 0.0
    print("| confidence | orders | mean | right |\n|---|---|---|---|")
    for low, high in pairwise(_EDGES):
        held = [o for o in with_cart if low <= o.confidence < high]
        if held:
            mean = sum(o.confidence for o in held) / len(held)
            share = sum(o.cart_right for o in held) / len(held)
            error += abs(mean - share) * len(held) / len(with_cart)
            print(f"| {low:.2f} to {min(high, 1):.2f} | {len(held)} | {mean:.3f} | {share:.3f} |")
    print(f"{len(with_cart)} orders, expected calibration error {error:.3f}")


def by_kind(seen: Sequence[Outcome]) -> None:
    """Print the figures of each kind of conversation."""
    kinds: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in seen:
        kinds[outcome.kind].append(outcome)
    print("| kind | conversations | right | accepted though wrong |\n|---|---|---|---|")
    for kind, held in kinds.items():
        right, wrong = sum(o.right for o in held), sum(o.silently_wrong for o in held)
        print(f"| {kind} | {len(held)} | {percent(right, len(held))} | {wrong} |")


def main() -> None:
    """Print the figures of each set, of all together, and the reliability table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--menu", type=Path, action="append", required=True)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--names-only", action="store_true")
    parser.add_argument("--language")
    parser.add_argument("--aside", choices=("only", "without"))
    parser.add_argument("--kinds", action="store_true")
    parser.add_argument("--errors", type=int, default=0)
    options = parser.parse_args()
    if len(options.menu) != len(options.data):
        parser.error("give one --data for each --menu")
    seen: list[Outcome] = []
    errors = options.errors
    for menu, data in zip(options.menu, options.data, strict=True):
        own: list[Outcome] = []
        for full, rows in by_menu(menu, rows_of(data, options.aside)):
            source = bare(full) if options.names_only else full
            for row, update, outcome in outcomes(source, rows, options.language):
                own.append(outcome)
                if not outcome.right and errors:
                    errors -= 1
                    print_error(row, update)
        print(f"{data.stem}: {summary(own)}")
        seen += own
    print(f"all: {summary(seen)}")
    if options.kinds:
        by_kind(seen)
    reliability(seen)


if __name__ == "__main__":
    main()
