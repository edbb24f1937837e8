"""When an order is accepted, asked about, or handed to a person."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The policy of a service, for all its restaurants. Confidences are 0 to 1.

    `item_confidence`: an item less likely to be right than this is asked about; at 0.82, at most 1
    % of orders were accepted though wrong (benchmarks/order_confidence.py). `menu_doubt`: the odds
    that a word was misheard are multiplied by this if it is on the menu, as the menu is the
    recogniser's bias (docs/measurements/recognition.md, "Confidence"). A person takes over an order
    with more than `most_of_item` of one item or on one, more than `most_items` in all, or more than
    `most_total` cents before tax, and after `misunderstood` utterances in a row without an effect.
    """

    item_confidence: float = 0.82
    menu_doubt: float = 0.16
    most_of_item: int = 20
    most_items: int = 60
    most_total: int = 30_000
    misunderstood: int = 3


DEFAULT = Thresholds()
