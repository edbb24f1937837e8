"""When an order is accepted, asked about, or handed to a person."""

from __future__ import annotations

from dataclasses import dataclass

from voice_service.ordering.weights import fitted


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The policy of a service, for all its restaurants. Confidences are 0 to 1.

    `max_wrong_in_hundred`: of so many accepted orders at most so many are wrong, as far as can be
    told from conversations that the weights were not fitted on. `item_confidence`: an item less
    likely to be right than this is asked about whatever was promised. `menu_doubt`: the odds
    that a word was misheard are multiplied by this if it is on the menu, as the menu is the
    recogniser's bias (docs/measurements/recognition.md, "Confidence"). A person takes over an order
    with more than `most_of_item` of one item or on one, more than `most_items` in all, or more than
    `most_total` cents before tax, and after `misunderstood` utterances in a row without an effect.
    """

    max_wrong_in_hundred: float = 1.0
    item_confidence: float = 0.0
    menu_doubt: float = 0.16
    most_of_item: int = 20
    most_items: int = 60
    most_total: int = 30_000
    misunderstood: int = 3

    @property
    def least_confidence(self) -> float:
        """The confidence (0 to 1) below which an item is asked about.

        Where the promise cannot be kept by asking about doubtful items, it is 1: the guest is asked
        about every item.
        """
        promised = 1.0
        for threshold, wrong in reversed(fitted().accepted):
            if wrong > self.max_wrong_in_hundred:
                break
            promised = threshold
        return max(promised, self.item_confidence)


DEFAULT = Thresholds()
