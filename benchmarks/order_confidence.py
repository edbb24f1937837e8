"""How far the confidence of an order can be trusted, and what each threshold would accept.

    order_confidence.py --set MENU.json DATA.jsonl [--set …] [--stress WHAT …] [--seeds N]

Data lines have `id`, `utterance` and the right `order`; formats and stresses are those of orders.py
("clean" is none). Prints, over all sets and stresses together, the share of items that were right
by their confidence, and for thresholds of item confidence the orders accepted without a person and
those accepted though wrong.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from orders import convert, names_only, predict, stressed

from voice_service.ordering import CompiledMenu
from voice_service.ordering.dialogue.policy import DEFAULT

_EDGES = (0.0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.999, 1.001)
_THRESHOLDS = (0.0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.82, 0.85, 0.9, 0.95, 1.0)
_ASKS_FOR_CONFIDENCE = "low_confidence"


@dataclass(frozen=True)
class Outcome:
    """One order: whether it is right, its items' confidences with whether each is right.

    `asked`: something but a low confidence keeps it from being accepted.
    """

    right: bool
    items: tuple[tuple[float, bool], ...]
    asked: bool

    def accepted(self, threshold: float) -> bool:
        """Return whether it would be accepted without a person at this threshold."""
        return bool(self.items) and not self.asked and min(c for c, _ in self.items) >= threshold


def outcomes(menu: Path, data: Path, stress: str, seeds: int) -> Iterable[Outcome]:
    """Return the outcome of each utterance of a set under a stress."""
    file = json.loads(menu.read_text("utf-8"))
    source = convert(names_only(file) if stress == "names-only" else file)
    compiled = CompiledMenu(source.menu)
    rows = [json.loads(line) for line in data.read_text("utf-8").splitlines() if line.strip()]
    for seed in range(1, seeds + 1 if stress.startswith("noise") else 2):
        for row in rows:
            prediction = predict(compiled, source, stressed(row["utterance"], stress, seed))
            yield _outcome(row["order"], prediction)


def _outcome(gold: Sequence[Mapping[str, Any]], prediction: Mapping[str, Any]) -> Outcome:
    wanted = Counter(plain(item) for item in gold)
    right = wanted == Counter(plain(item) for item in prediction["order"])
    items: list[tuple[float, bool]] = []
    for item in prediction["order"]:
        found = wanted[plain(item)] > 0
        wanted[plain(item)] -= found
        items.append((item["confidence"], found))
    codes = {reason.partition(":")[0] for reason in prediction["reasons"]}
    accepted = prediction["status"] == "confirmed"
    asked = not accepted and (codes != {_ASKS_FOR_CONFIDENCE} or not items)
    return Outcome(right, tuple(items), asked)


def plain(item: Mapping[str, Any]) -> str:
    """Return an item in a form that is equal for equal items."""
    modifiers = sorted(
        (m["name"], m.get("qualifier") or "", bool(m.get("negated")), m.get("count") or 0)
        for m in item["modifiers"]
    )
    return repr((item["item"], item["quantity"], item.get("size") or "", modifiers))


def reliability(seen: Sequence[Outcome]) -> None:
    """Print the share of right items by confidence, and the expected calibration error."""
    items = [pair for outcome in seen for pair in outcome.items]
    error = 0.0
    print("| confidence | items | mean | right |\n|---|---|---|---|")
    for low, high in pairwise(_EDGES):
        held = [(c, ok) for c, ok in items if low <= c < high]
        if held:
            mean = sum(c for c, _ in held) / len(held)
            right = sum(ok for _, ok in held) / len(held)
            error += abs(mean - right) * len(held) / len(items)
            print(f"| {low:.2f} to {min(high, 1):.2f} | {len(held)} | {mean:.3f} | {right:.3f} |")
    print(f"{len(items)} items, expected calibration error {error:.3f}")


def trade_off(seen: Sequence[Outcome]) -> None:
    """Print what each threshold would accept."""
    print("| threshold | accepted % | accepted though wrong % of all |\n|---|---|---|")
    for threshold in _THRESHOLDS:
        taken = [outcome for outcome in seen if outcome.accepted(threshold)]
        wrong = sum(not outcome.right for outcome in taken)
        shares = f"{100 * len(taken) / len(seen):.1f} | {100 * wrong / len(seen):.2f}"
        print(f"| {threshold} | {shares} |")
    print(f"{len(seen)} orders; the threshold in use is {DEFAULT.least_confidence}")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--set", type=Path, nargs=2, action="append", required=True, dest="sets")
    parser.add_argument("--stress", nargs="+", default=["clean"])
    parser.add_argument("--seeds", type=int, default=1, help="of each noise")
    options = parser.parse_args()
    seen = [
        outcome
        for menu, data in options.sets
        for stress in options.stress
        for outcome in outcomes(menu, data, stress, options.seeds)
    ]
    reliability(seen)
    trade_off(seen)


if __name__ == "__main__":
    main()
