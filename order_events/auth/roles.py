"""What each role may do and see, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from order_events.protocol import filters


class Role(StrEnum):
    """`role` of a token."""

    DEVICE = "device"
    SERVER = "server"
    KITCHEN = "kitchen"
    CASHIER = "cashier"
    MANAGER = "manager"
    SERVICE = "service"


class Action(StrEnum):
    """What a request needs the right to do; the value completes "your role may not …"."""

    ROOT_SOCKET = "open the root socket"
    VOICE = "open voice sessions"
    READ_ORDERS = "read orders"
    CREATE_ORDERS = "create orders"
    CHANGE_ORDERS = "change orders"
    SET_STATUS = "change the status of orders"
    READ_TABLES = "read tables"
    CHANGE_TABLES = "change tables"
    READ_PAYMENTS = "read payments"
    TAKE_PAYMENTS = "take payments"
    READ_MENU = "read the menu"
    CHANGE_MENU = "change the menu"
    SELL_OUT = "mark items as sold out"
    READ_EVENTS = "read events"
    REVOKE = "revoke tokens"
    READ_SESSIONS = "read voice sessions"
    TAKE_OVER = "take over voice sessions"
    READ_CALLS = "read calls for staff"
    ANSWER_CALLS = "answer calls for staff"
    READ_AUDIT = "read audits"
    MANAGE_WEBHOOKS = "manage webhooks"
    ERASE = "erase what guests said"
    READ_ANALYTICS = "read analytics"
    MANAGE_SCREENS = "manage screens and staff"
    READ_STAFF = "read who can sign in"
    SIGN_IN = "sign staff in"


@dataclass(frozen=True)
class Rights:
    """The actions of one role, and the events visible to it."""

    actions: frozenset[Action]
    events: frozenset[str]


_FLOOR = frozenset(
    {
        Action.ROOT_SOCKET,
        Action.READ_ORDERS,
        Action.SET_STATUS,
        Action.READ_TABLES,
        Action.READ_MENU,
        Action.READ_EVENTS,
        Action.READ_STAFF,
        Action.SIGN_IN,
    }
)
_FRONT = _FLOOR | {
    Action.CREATE_ORDERS,
    Action.CHANGE_ORDERS,
    Action.CHANGE_TABLES,
    Action.VOICE,
    Action.READ_SESSIONS,
    Action.TAKE_OVER,
    Action.READ_CALLS,
    Action.ANSWER_CALLS,
}

RIGHTS: dict[Role, Rights] = {
    # A kiosk shows the menu, and lets staff into its setup by their PIN.
    Role.DEVICE: Rights(
        frozenset({Action.VOICE, Action.READ_MENU, Action.READ_STAFF, Action.SIGN_IN}), frozenset()
    ),
    Role.SERVER: Rights(_FRONT, filters.EVENTS),
    Role.KITCHEN: Rights(
        _FLOOR | {Action.SELL_OUT},
        frozenset(
            {
                filters.ORDER_CREATED,
                filters.ORDER_UPDATED,
                filters.ORDER_STATUS,
                filters.ORDER_ITEM_STATUS,
                filters.KDS_UPDATE,
                filters.MENU_UPDATED,
            }
        ),
    ),
    Role.CASHIER: Rights(_FRONT | {Action.READ_PAYMENTS, Action.TAKE_PAYMENTS}, filters.EVENTS),
    Role.MANAGER: Rights(frozenset(Action), filters.EVENTS),
    Role.SERVICE: Rights(frozenset(Action), filters.EVENTS),
}


def may(role: Role, action: Action) -> bool:
    """Return whether the role has the right to the action."""
    return action in RIGHTS[role].actions


def visible(role: Role) -> frozenset[str]:
    """Return the events the role may see."""
    return RIGHTS[role].events
