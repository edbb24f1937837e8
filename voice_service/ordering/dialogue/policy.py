"""When an order is accepted, asked about, or handed to a person."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The policy of a service, for all its restaurants. Confidences are 0 to 1.

    `item_confidence`: an item that is less likely right than this is asked about; at 0.82, at most
    1 % of orders were accepted though wrong (benchmarks/order_confidence.py). `menu_doubt`: by what
    the odds that a word was misheard are multiplied when it is one of the menu, and the menu is the
    recogniser's bias (docs/measurements/recognition.md, "Confidence").
    `most_of_item` and `most_items`: more of one item or on one, or of all together, goes to a
    person, and so does an order of more cents than `most_total`, before tax. `misunderstood`: so
    many utterances in a row without an effect, then a person takes over.
    """

    item_confidence: float = 0.82
    menu_doubt: float = 0.16
    most_of_item: int = 20
    most_items: int = 60
    most_total: int = 30_000
    misunderstood: int = 3


DEFAULT = Thresholds()
