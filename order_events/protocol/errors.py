"""Reasons why a change was refused. The messages are safe to show to whoever asked for it."""

from __future__ import annotations

from order_events.protocol.messages import ErrorCode


class OrderError(Exception):
    """A change was refused and had no effect."""

    code = ErrorCode.INVALID_ORDER

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidOrder(OrderError):
    """The draft contradicts itself or the menu."""


class UnknownItem(OrderError):
    """The menu has no such item, size or modifier."""

    code = ErrorCode.UNKNOWN_ITEM


class SoldOut(OrderError):
    """The item is on the menu but sold out."""

    code = ErrorCode.SOLD_OUT


class NotServed(OrderError):
    """The item is on the menu, but not at this hour."""

    code = ErrorCode.NOT_SERVED


class NotFound(OrderError):
    """There is no such order, table, item or menu in this restaurant."""

    code = ErrorCode.NOT_FOUND


class KeyReused(OrderError):
    """The idempotency key was used before, for something else."""

    code = ErrorCode.KEY_REUSED


class StaleVersion(OrderError):
    """Somebody else has changed it in the meantime; read it again."""

    code = ErrorCode.STALE_VERSION


class IllegalTransition(OrderError):
    """An order in this status may not take the step."""

    code = ErrorCode.ILLEGAL_TRANSITION


class Overloaded(OrderError):
    """Too many changes are waiting to be written; try again."""

    code = ErrorCode.OVERLOADED


class SessionLost(OrderError):
    """The voice session is another node's now."""

    code = ErrorCode.SESSION_NOT_FOUND


class SessionHeld(OrderError):
    """Staff have taken the voice session over."""

    code = ErrorCode.ILLEGAL_TRANSITION


class StoreUnavailable(OrderError):
    """The database cannot be written or read at the moment. Nothing was changed."""

    code = ErrorCode.UNAVAILABLE


class Stopping(StoreUnavailable):
    """The server is stopping; there is nothing to wait for."""
