"""Which reasons a person must know of, and which of them call one. Pure."""

from __future__ import annotations

from order_events.domain.models import MAX_ATTENTION, Attention
from voice_service.ordering import CartUpdate, Reason
from voice_service.ordering.reasons import ReasonCode

_KNOWN = frozenset(ReasonCode)
_STAFF_ARE_THERE = "staff_took_over"
_LONGEST = 200
"""Most characters of a text in an order's `attention`."""


def calls_staff(reason: Reason, *, ended: bool) -> bool:
    """Return whether a person has to come.

    The session's own reasons mean that the guest was cut off or that the order could not be kept,
    which only a person can mend. A question calls one once nobody listens to the answer.
    """
    if reason.code not in _KNOWN:
        return reason.code != _STAFF_ARE_THERE
    return reason.handling.calls_staff or (ended and reason.question is not None)


def attention(update: CartUpdate) -> tuple[Attention, ...]:
    """Return what stands on the order: what calls staff, and what is still to be asked."""
    return tuple(
        Attention(code=reason.code, text=reason.text[:_LONGEST])
        for reason in update.reasons
        if reason.question is not None or calls_staff(reason, ended=False)
    )[:MAX_ATTENTION]
