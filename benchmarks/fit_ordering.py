"""Fits the weights of order understanding, and says how well they do on what was held out.

    fit_ordering.py --data MENU DATA [--data …] [--orders MENU DATA …] [--own FOLDER] [--write]

MENU and DATA are those of conversations.py, for --orders those of orders.py; rows of conversations
set aside (`int(sha256(id), 16) % 3 == 0`) are never read. --own is a folder with
conversations.jsonl, and with restaurants in the format of orders.py, as the tests have them.
Without --write nothing is changed; with it, voice_service/ordering/weights.json is written.

Two models are fitted: which reading of an utterance is meant, and how likely a line of the order is
right. For the second, each utterance of --orders and of the restaurants is also tried misheard and
with a menu of names only.

A conversation is run once as it is read first, and once for each other reading of each of its
utterances. The reading is not annotated, only the cart is: the runs that end with the right cart
are the right ones. Folds keep a `scenario` whole; each set is also scored with weights that were
fitted on the other sets.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from carts import canonical, cart_of, same_cart
from conversations import DEMO, by_menu, compiler, hold, is_aside, rows_of
from line_examples import Understood, from_conversations, from_orders
from line_weights import (
    FOLDS,
    accepted,
    as_said,
    fit_lines,
    fold,
    held_out,
    print_reliability,
    print_trade_off,
)
from log_linear import Choice, fit_ranker, score

import voice_service.ordering as ordering_package
from order_events.domain.drafts import ItemDraft
from order_events.menu.diagnostics import read_menu
from voice_service.ordering import CartUpdate, CompiledMenu
from voice_service.ordering.readings.reading import Construal

L2 = 1.0
_UNLIKELY = -3.0
"""Where the weights of a construal start: the plain reading is meant in 19 of 20 cases."""
_CUES = {
    Construal.RESTATED: {
        "asks for more": -2.5,
        "on top cue": -2.0,
        "opens with and": -2.0,
        "agrees": 1.5,
        "repeats": 1.5,
        "identical": 0.5,
        "nothing else cue": -1.0,
    },
    Construal.RESTATED_IN_PART: {"agrees": 1.0, "repeats": 1.0},
    Construal.NOTHING_ELSE: {"nothing else cue": 4.0},
    Construal.INSTEAD_OF_LAST: {"rejects": 1.0, "corrects": 1.0, "on top cue": -2.0},
    Construal.INSTEAD_OF_ALL: {"rejects": 1.0, "on top cue": -2.0},
    Construal.ON_TOP: {"on top cue": 2.0},
}
"""What words mean, as a prior: the conversations move these weights where they are seen often."""
_STRESSES = ("", "noise:5", "noise:10", "names-only")
_WEIGHTS = Path(ordering_package.__file__).with_name("weights.json")

_OVERSAMPLED = {f"{Construal.RESTATED}:bias": 3.0}
"""How many times as often a construal is right in these conversations as at a counter.

The kinds were written to be hard: of the utterances that name something again, most restate it.
The bias is corrected by the logarithm (King and Zeng, "Logistic regression in rare events data",
2001).
"""

PRIOR = {f"{c}:bias": _UNLIKELY for c in Construal if c is not Construal.AS_SAID} | {
    f"{construal}:{cue}": weight
    for construal, cues in _CUES.items()
    for cue, weight in cues.items()
}


@dataclass(frozen=True)
class Example:
    """A conversation and what says whether it ended right. Those of a `scenario` stay together."""

    set: str
    scenario: str
    menu: CompiledMenu
    utterances: Sequence[str]
    is_right: Callable[[CartUpdate], bool]


class Forced:
    """Takes the reading with the highest score, but for one decision, which is given.

    `seen` has the features of all readings of each decision, in order.
    """

    def __init__(self, decision: int = -1, option: int = 0) -> None:
        self._decision, self._option = decision, option
        self.seen: list[Sequence[Mapping[str, float]]] = []

    def probabilities(self, readings: Sequence[Mapping[str, float]]) -> Sequence[float]:
        """Certainty for the plain reading, or for the one that is to be taken here."""
        taken = self._option if len(self.seen) == self._decision else 0
        self.seen.append(readings)
        return [float(index == taken) for index in range(len(readings))]

    def weight(self, feature: str) -> float:
        """Nothing is weighed here."""
        return 0.0

    def taken(self) -> dict[str, float]:
        """The features of all readings taken, added up."""
        total: Counter[str] = Counter()
        for index, readings in enumerate(self.seen):
            option = self._option if index == self._decision else 0
            total.update(dict(readings[option]))
        return dict(total)


def choice_of(example: Example) -> Choice:
    """All runs of a conversation that differ from the plain one in at most one reading."""
    plain = Forced()
    right = [example.is_right(_run(example, plain))]
    runs = [plain.taken()]
    for decision, options in enumerate(plain.seen):
        for option in range(1, len(options)):
            forced = Forced(decision, option)
            right.append(example.is_right(_run(example, forced)))
            runs.append(forced.taken())
    return Choice(runs, right)


def _run(example: Example, ranker: Forced) -> CartUpdate:
    return hold(example.menu, example.utterances, ranker)[1]


def from_rows(menu: Path, data: Path) -> Iterator[Example]:
    """The rows of a set that expect a cart, without those set aside."""
    for source, rows in by_menu(menu, rows_of(data, "without")):
        compiled = compiler(source)
        for row in rows:
            if row["expect"] == "ask":
                continue
            gold = canonical(row["order"], source)
            yield Example(
                f"{data.stem}:{row.get('menu', '')}",
                str(row.get("scenario", row["id"])),
                compiled(row.get("language")),
                row["utterances"],
                partial(_has_cart, gold=gold, source=source),
            )


def _has_cart(
    update: CartUpdate, gold: Sequence[Mapping[str, Any]], source: Mapping[str, Any]
) -> bool:
    return same_cart(gold, canonical(cart_of(update.items), source))


def _has_items(update: CartUpdate, items: Sequence[str]) -> bool:
    return list(items) == sorted(map(_short, update.items))


def from_tests(folder: Path) -> Iterator[Example]:
    """The conversations of the tests that end confirmed; theirs are items written short."""
    compiled: dict[tuple[str, str | None], CompiledMenu] = {}
    for file in ("conversations.jsonl", "conversations_es.jsonl"):
        for line in (folder / file).read_text("utf-8").splitlines():
            case = json.loads(line)
            special = "at" in case or "sold_out" in case
            if special or case["status"] != "confirmed" or is_aside(case["name"]):
                continue
            path = folder / "menus" / f"{case['menu']}.json" if "menu" in case else DEMO
            key = (str(path), case.get("language"))
            if key not in compiled:
                compiled[key] = CompiledMenu(read_menu(path.read_text("utf-8")), key[1])
            items = sorted(" ".join(sorted(item.split(" "))) for item in case["items"])
            yield Example(
                "tests",
                case["name"],
                compiled[key],
                case["say"],
                partial(_has_items, items=items),
            )


def _short(item: ItemDraft) -> str:
    """An item as the tests write it, its words sorted."""
    size = f"/{item.size}" if item.size else ""
    part = ">" if item.part_of else ""
    mods = [
        ("-" if m.negated else "+")
        + m.id
        + (f"({m.qualifier})" if m.qualifier else "")
        + (f"*{m.quantity}" if m.quantity > 1 else "")
        for m in item.modifiers
    ]
    return " ".join(sorted([f"{item.quantity}", f"{part}{item.menu_item_id}{size}", *mods]))


def right_of_held_out(
    examples: Sequence[Example], choices: Sequence[Choice], key: Callable[[Example], Any]
) -> str:
    """How many are right with weights fitted on the rest, for each value of `key`."""
    right = plain = mended = broken = 0
    for value in sorted({key(e) for e in examples}, key=str):
        others = [c for e, c in zip(examples, choices, strict=True) if key(e) != value]
        weights = fit_ranker(others, L2, PRIOR)
        for example, choice in zip(examples, choices, strict=True):
            if key(example) == value:
                scores = [score(reading, weights) for reading in choice.readings]
                best = scores.index(max(scores))
                right += choice.right[best]
                plain += choice.right[0]
                mended += choice.right[best] and not choice.right[0]
                broken += choice.right[0] and not choice.right[best]
    return f"right {right} of {len(examples)}, plain {plain}; mended {mended}, broken {broken}"


def _understood(options: argparse.Namespace) -> Iterator[Understood]:
    """The orders that lines are judged by."""
    for menu, data in options.data:
        yield from from_conversations(menu, data)
    sets = list(options.orders)
    if options.own:
        for menu in sorted((options.own / "restaurants").glob("*.menu.json")):
            sets.append((menu, menu.with_name(menu.name.replace(".menu.json", ".jsonl"))))
    for menu, data in sets:
        for stress in _STRESSES:
            yield from from_orders(menu, data, stress)


def main() -> None:
    """Fit, print what the weights do on what they were not fitted on, and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, nargs=2, action="append", default=[], metavar=("MENU", "DATA")
    )
    parser.add_argument(
        "--orders", type=Path, nargs=2, action="append", default=[], metavar=("MENU", "DATA")
    )
    parser.add_argument("--own", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    examples = [e for menu, data in options.data for e in from_rows(menu, data)]
    if options.own:
        examples += from_tests(options.own)
    choices = [choice_of(e) for e in examples]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for example, choice in zip(examples, choices, strict=True):
        informative = any(choice.right) and not all(choice.right)
        counts[example.set].update(
            conversations=1, plain=choice.right[0], one_reading=any(choice.right), told=informative
        )
    print(
        "| set | conversations | right as read first | right with one other reading | fitted on |"
    )
    print("|---|---|---|---|---|")
    for name, row in counts.items():
        print(
            f"| {name} | {row['conversations']} | {row['plain']} | {row['one_reading']}"
            f" | {row['told']} |"
        )
    by_fold = right_of_held_out(examples, choices, lambda e: fold(e.scenario))
    print(f"{FOLDS} folds: {by_fold}")
    print(f"set by set: {right_of_held_out(examples, choices, lambda e: e.set)}")
    weights = fit_ranker(choices, L2, PRIOR)
    for name, weight in sorted(weights.items(), key=lambda pair: -abs(pair[1])):
        print(f"{weight:7.2f} {name}")
    understood = list(_understood(options))
    lines = fit_lines(understood)
    likelihoods = held_out(understood)
    print_reliability(understood, lines)
    print(f"{FOLDS} folds, of a hundred orders: accepted / at most wrong of those")
    print_trade_off(understood, likelihoods)
    said = [(o, p) for o, p in zip(understood, likelihoods, strict=True) if as_said(o)]
    table = list(accepted([o for o, _ in said], [p for _, p in said]))
    if options.write:
        provenance = {
            "made by": "benchmarks/fit_ordering.py",
            "conversations": {name: dict(row) for name, row in counts.items()},
            "orders": Counter(order.set for order in understood),
            "l2": L2,
        }
        for name, times in _OVERSAMPLED.items():
            weights[name] -= math.log(times)
        rounded = {name: round(weight, 3) for name, weight in sorted(weights.items())}
        data = {
            "provenance": provenance,
            "readings": rounded,
            "lines": {name: round(weight, 3) for name, weight in sorted(lines.items())},
            "accepted": [(threshold, round(wrong, 3)) for threshold, _, wrong in table],
        }
        text = json.dumps(data, indent=1)
        _WEIGHTS.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
