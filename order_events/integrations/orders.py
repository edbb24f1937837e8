"""Orders as they are carried elsewhere, and what is to be done about a new version of one. Pure.

Values that this version does not know, such as a new status, are taken as they come.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pydantic import BaseModel, ConfigDict

STARTED = frozenset({"confirmed", "preparing"})
"""Statuses in which the kitchen has to know of an order."""
OFF = frozenset({"pending", "cancelled"})
"""Statuses in which it has nothing to do for it."""
OVER = frozenset({"picked-up", "completed"})
ALLERGY = "allergy"


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Modifier(_Read):
    """A modifier of a line. `price` is in cents."""

    id: str
    group: str
    name: str
    price: int = 0
    qualifier: str | None = None
    negated: bool = False
    quantity: int = 1

    @property
    def text(self) -> str:
        """It in words: "NO Onions", "2 x Cheese", "EXTRA Pickles", "Mayo on the side"."""
        times = f"{self.quantity} x " if self.quantity > 1 else ""
        if self.negated:
            return f"NO {self.name}"
        if self.qualifier == "on_the_side":
            return f"{times}{self.name} on the side"
        how = f"{self.qualifier.upper()} " if self.qualifier else ""
        return f"{times}{how}{self.name}"


class Line(_Read):
    """A line of an order. `price` (cents) is for one, without its modifiers."""

    id: str
    menu_item_id: str
    name: str
    quantity: int
    size: str | None = None
    price: int = 0
    modifiers: tuple[Modifier, ...] = ()
    special_instructions: str | None = None
    part_of: str | None = None


class Attention(_Read):
    """Something that a person must know or do about an order."""

    code: str
    text: str = ""


class Order(_Read):
    """An order, as far as a kitchen needs it. `prep_time` is in minutes."""

    id: str
    order_number: str
    type: str = ""
    status: str
    items: tuple[Line, ...]
    currency: str = "USD"
    table_number: str | None = None
    customer_name: str | None = None
    notes: str | None = None
    attention: tuple[Attention, ...] = ()
    prep_time: int = 0
    version: int
    created_at: str = ""

    @property
    def allergies(self) -> tuple[str, ...]:
        """What is known of the guest's allergies."""
        return tuple(a.text or "ask the guest" for a in self.attention if a.code == ALLERGY)

    @property
    def content(self) -> tuple[object, ...]:
        """What has to be told again if it changes."""
        who = (self.table_number, self.customer_name, self.notes, self.allergies)
        return (self.items, *who)


class Kind(Enum):
    """What is to be done about an order."""

    NEW = "new"
    CHANGED = "changed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line that differs: `before` is None if it was added, `after` if it was taken off."""

    before: Line | None
    after: Line | None


def due(sent: Order | None, order: Order) -> Kind | None:
    """Return what is to be done about an order of which `sent` is known elsewhere; None: nothing.

    An order whose confirmation was taken back is cancelled there, and new when confirmed again.
    """
    if sent is None:
        return Kind.NEW if order.status in STARTED else None
    if order.status in OFF:
        return Kind.CANCELLED
    if order.status not in OVER and order.content != sent.content:
        return Kind.CHANGED
    return None


def differences(before: Order, after: Order) -> tuple[LineChange, ...]:
    """Return the lines that differ, in the order of the lines after the change."""
    old = {line.id: line for line in before.items}
    new = {line.id: line for line in after.items}
    changed = [LineChange(old.get(i), line) for i, line in new.items() if old.get(i) != line]
    gone = [LineChange(line, None) for i, line in old.items() if i not in new]
    return (*changed, *gone)
