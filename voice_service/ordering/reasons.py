"""Why an order is not simply accepted: the codes of the protocol, and how each one is handled."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto


class ClosedBy(Enum):
    """What closes a question that is still open, once the order has changed."""

    ANY_CHANGE = auto()
    REQUEST = auto()  # asking for something: to leave something off is no answer
    CHOICE = auto()  # only one of the items asked about, or its like
    QUANTITY = auto()
    MODIFIER = auto()
    SIZE = auto()


@dataclass(frozen=True, slots=True)
class Handling:
    """What a reason means for the rest of the order.

    `asks`: the guest is asked about it. `calls_staff`: a person has to look at the order.
    `beside_order`: staff are told, but the items are as sure as they were. `unexplained`: words of
    the utterance could not be placed and may belong to the item beside them, which lowers its
    confidence. `settled_by_done`: a change that could not be made leaves an order that the guest
    has just called complete. `closed_by`: what answers the question.
    """

    asks: bool = True
    calls_staff: bool = False
    beside_order: bool = False
    unexplained: bool = False
    settled_by_done: bool = False
    closed_by: ClosedBy = ClosedBy.ANY_CHANGE


_RECORDED = Handling(asks=False)
_STAFF_ASKED_FOR = Handling(calls_staff=True, beside_order=True)
_TOO_MUCH = Handling(calls_staff=True)
_NOT_UNDERSTOOD = Handling(unexplained=True, closed_by=ClosedBy.REQUEST)
_WHICH_ITEM = Handling(unexplained=True, closed_by=ClosedBy.CHOICE)


class ReasonCode(StrEnum):
    """Why words did not simply become part of the order. The values are in the protocol."""

    handling: Handling

    def __new__(cls, value: str, handling: Handling = Handling()) -> ReasonCode:
        """Keep the second column of the table, if there is one, as an attribute of the code."""
        code = str.__new__(cls, value)
        code._value_ = value
        code.handling = handling
        return code

    # Words that are not on the menu, or explain nothing.
    UNKNOWN_ITEM = "unknown_item", _NOT_UNDERSTOOD
    NOT_UNDERSTOOD = "not_understood", _NOT_UNDERSTOOD
    # One of several things, or nobody knows how many.
    AMBIGUOUS_ITEM = "ambiguous_item", _WHICH_ITEM
    AMBIGUOUS_MODIFIER = (
        "ambiguous_modifier",
        Handling(unexplained=True, closed_by=ClosedBy.MODIFIER),
    )
    AMBIGUOUS_QUANTITY = (
        "ambiguous_quantity",
        Handling(unexplained=True, closed_by=ClosedBy.QUANTITY),
    )
    CONFLICTING_SIZE = "conflicting_size", Handling(closed_by=ClosedBy.SIZE)
    # A choice that has to be made.
    CHOOSE_ITEM = "choose_item", _WHICH_ITEM
    CHOOSE_MODIFIER = "choose_modifier", Handling(closed_by=ClosedBy.MODIFIER)
    MISSING_SIZE = "missing_size"
    MISSING_CHOICE = "missing_choice"
    TOO_MANY_CHOICES = "too_many_choices"
    # What cannot be had like that.
    SIZE_NOT_AVAILABLE = "size_not_available"
    MODIFIER_NOT_AVAILABLE = "modifier_not_available", Handling(unexplained=True)
    MODIFIER_WITHOUT_ITEM = "modifier_without_item", Handling(unexplained=True)
    # What cannot be had now.
    SOLD_OUT = "sold_out"
    NOT_SERVED_NOW = "not_served_now"
    # Two ways to take an utterance that would leave different orders.
    AGAIN_OR_SAME = "again_or_same"
    INSTEAD_OR_ALSO = "instead_or_also"
    ONLY_THESE = "only_these"
    # A change that could not be made.
    NOT_IN_ORDER = "not_in_order", Handling(unexplained=True, settled_by_done=True)
    NOTHING_TO_UNDO = "nothing_to_undo", Handling(asks=False, settled_by_done=True)
    WHAT_FIRST = "what_first", Handling(settled_by_done=True)
    PART_OF_COMBO = "part_of_combo"
    # An item that was perhaps not said.
    LOW_CONFIDENCE = "low_confidence"
    # The guest says that the order is wrong.
    COMPLAINT = "complaint"
    # More than is accepted without a person.
    QUANTITY_LIMIT = "quantity_limit", _TOO_MUCH
    ORDER_LIMIT = "order_limit", _TOO_MUCH
    TOTAL_LIMIT = "total_limit", _TOO_MUCH
    # A person is needed.
    ALLERGY = "allergy", _STAFF_ASKED_FOR
    STAFF_REQUESTED = "staff_requested", _STAFF_ASKED_FOR
    NOT_FOLLOWING = "not_following", _STAFF_ASKED_FOR
    # What changes nothing, for the record.
    LEFT_BY_STAFF = "left_by_staff", _RECORDED
    QUESTION = "question", _RECORDED
    SIDE_TALK = "side_talk", _RECORDED
    OFF_TOPIC = "off_topic", _RECORDED
    SINGLE_SIZE = "single_size", _RECORDED
