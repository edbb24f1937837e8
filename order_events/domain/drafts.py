"""Orders as clients send them: items by menu id, without prices, which the server adds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from order_events.menu.entries import Id

MAX_QUANTITY = 99
"""Most of one modifier on one item."""
MAX_MODIFIERS = 50
"""Most modifiers on one line of an order."""

Qualifier = Literal["light", "extra", "on_the_side", "half"]


class Draft(BaseModel):
    """A frozen model of what clients send. Unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModifierDraft(Draft):
    """A requested modifier. `negated` means "without"; a negated modifier is never charged."""

    id: Id
    group: Id | None = None
    qualifier: Qualifier | None = None
    negated: bool = False
    quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY)] = 1


class ItemDraft(Draft):
    """A line of an order. `id` identifies the line, so that a later change can refer to it.

    A part of a combo is a line of its own: `part_of` is the id of the combo's line, and `slot` the
    slot that it fills (default: the first free slot that it fits). Its quantity is that of the
    combo. `confidence`, from 0 to 1, is how likely it is that the guest asked for exactly this.
    """

    id: Id | None = None
    menu_item_id: Id
    quantity: Annotated[int, Field(ge=1, le=999)] = 1
    size: Id | None = None
    modifiers: Annotated[tuple[ModifierDraft, ...], Field(max_length=MAX_MODIFIERS)] = ()
    special_instructions: Annotated[str, Field(max_length=500)] | None = None
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    part_of: Id | None = None
    slot: Id | None = None
