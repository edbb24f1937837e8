"""What is on a ticket, as lines with a weight each. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from order_events.integrations.orders import Kind, Line, Order, differences
from order_events.integrations.relay import Step

_INDENT = "   "


class Weight(Enum):
    """How a line is printed."""

    ALARM = "alarm"
    TITLE = "title"
    ITEM = "item"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A line of a ticket. `indent` is for those that it is wrapped into."""

    text: str
    weight: Weight = Weight.PLAIN
    indent: str = ""


def ticket(step: Step) -> list[TicketLine]:
    """Return the lines of a ticket: allergies first, then what is to be made or changed."""
    return list(_lines(step))


def _lines(step: Step) -> Iterator[TicketLine]:
    order = step.order
    if step.again:
        yield TicketLine("MAY BE A COPY: printed again after a failure", Weight.ALARM)
    if step.kind is Kind.CANCELLED:
        yield TicketLine("CANCELLED", Weight.ALARM)
    for allergy in order.allergies:
        yield TicketLine(f"ALLERGY: {allergy}", Weight.ALARM)
    if step.kind is Kind.CHANGED:
        yield TicketLine("CHANGED", Weight.ALARM)
    yield TicketLine(_number(order), Weight.TITLE)
    yield from (TicketLine(text) for text in _about(order))
    yield TicketLine("")
    if step.kind is Kind.CHANGED and step.before is not None:
        yield from _changes(step.before, order)
    else:
        for line in order.items:
            yield from _item(line)
    if order.notes:
        yield TicketLine("")
        yield TicketLine(order.notes)


def _number(order: Order) -> str:
    """Return the number that people call out: without the day, which is on no other ticket."""
    return f"No. {order.order_number.rpartition('-')[2]}"


def _about(order: Order) -> Iterator[str]:
    yield " ".join(filter(None, (order.type, order.order_number)))
    if order.table_number:
        yield f"Table {order.table_number}"
    if order.customer_name:
        yield f"For {order.customer_name}"
    if order.created_at:
        yield order.created_at[:16].replace("T", " ") + " UTC"


def _changes(before: Order, after: Order) -> Iterator[TicketLine]:
    for change in differences(before, after):
        if change.before is not None:
            word = "WAS" if change.after is not None else "NO MORE"
            yield from _item(change.before, f"{word}: ")
        if change.after is not None:
            word = "NOW" if change.before is not None else "ADD"
            yield from _item(change.after, f"{word}: ")


def _item(line: Line, word: str = "") -> Iterator[TicketLine]:
    indent = _INDENT if line.part_of is not None else ""
    size = f"{line.size} " if line.size else ""
    yield TicketLine(f"{indent}{word}{line.quantity} x {size}{line.name}", Weight.ITEM, indent)
    under = indent + _INDENT
    for modifier in line.modifiers:
        yield TicketLine(under + modifier.text, indent=under)
    if line.special_instructions:
        yield TicketLine(f"{under}! {line.special_instructions}", indent=under)
