"""Settings of order understanding."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from order_events.token_settings import Count
from voice_service.ordering import Thresholds
from voice_service.ordering.dialogue.policy import DEFAULT

Probability = Annotated[float, Field(ge=0, le=1)]


class OrderSettings(BaseModel):
    """Which orders need a question or a person."""

    max_wrong_in_hundred: float = Field(
        DEFAULT.max_wrong_in_hundred,
        ge=0,
        le=100,
        description="At most this many of a hundred accepted orders are wrong, as far as "
        "measured; the guest is asked about what is less sure (with 0, about every item).",
    )
    item_confidence: Probability = Field(
        DEFAULT.item_confidence,
        description="Superseded by max_wrong_in_hundred. The guest is asked about an item that is "
        "less sure as well.",
    )
    menu_doubt: Probability = Field(
        DEFAULT.menu_doubt,
        description="Factor by which the odds that a word was misheard are multiplied if it is on "
        "the menu that biases recognition.",
    )
    most_of_item: Count = Field(
        DEFAULT.most_of_item,
        description="An order with more than this many of one item goes to a person.",
    )
    most_items: Count = Field(
        DEFAULT.most_items, description="An order with more items than this goes to a person."
    )
    most_total: Count = Field(
        DEFAULT.most_total,
        description="An order of more than this many cents, before tax, goes to a person.",
    )
    misunderstood: Count = Field(
        DEFAULT.misunderstood,
        description="After this many utterances in a row without effect, a person takes over.",
    )

    def ordering(self) -> Thresholds:
        """Return when an order is accepted, asked about, or handed to a person."""
        return Thresholds(
            max_wrong_in_hundred=self.max_wrong_in_hundred,
            item_confidence=self.item_confidence,
            menu_doubt=self.menu_doubt,
            most_of_item=self.most_of_item,
            most_items=self.most_items,
            most_total=self.most_total,
            misunderstood=self.misunderstood,
        )
