"""What each error and close code means, and what a client should do."""

from __future__ import annotations

from order_events.protocol.messages import CloseCode, ErrorCode

ERRORS = {
    ErrorCode.INVALID_MESSAGE: "The message is not JSON, or a field is wrong; the text says which.",
    ErrorCode.UNKNOWN_TYPE: "This socket has no message of that type.",
    ErrorCode.UNAUTHORIZED: "The token is missing or not valid. A socket is then closed with 1008.",
    ErrorCode.FORBIDDEN: "The role may not do this.",
    ErrorCode.RATE_LIMITED: "Too many requests, or audio that arrives too fast. Send it again "
    "after retry_after_ms.",
    ErrorCode.SUBSCRIPTION_LIMIT: "Too many subscriptions. Remove one with unsubscribe.",
    ErrorCode.SESSION_NOT_FOUND: "No voice session is open on this connection, or none can be "
    "resumed.",
    ErrorCode.SESSION_EXISTS: "This connection already has a session, or the session_id is taken.",
    ErrorCode.INVALID_AUDIO: "Bad base64 or a wrong length: send that sequence again. If a "
    "container is damaged, start a new session.",
    ErrorCode.AUDIO_GAP: "Some chunks never arrived; sequences lists them. Silence takes their "
    "place.",
    ErrorCode.UNSUPPORTED_LANGUAGE: "The loaded model does not support the language. The message "
    "lists those that it does.",
    ErrorCode.OVERLOADED: "The server is at its limit. Retry after retry_after_ms; without it, "
    "back off exponentially.",
    ErrorCode.INTERNAL: "An error on our side. It is in the server's log.",
    ErrorCode.NOT_FOUND: "Not found in this restaurant.",
    ErrorCode.INVALID_ORDER: "The body contradicts itself, the menu or what is stored.",
    ErrorCode.UNKNOWN_ITEM: "The menu has no such item, size or modifier.",
    ErrorCode.SOLD_OUT: "The item is on the menu but sold out.",
    ErrorCode.NOT_SERVED: "The item is on the menu, but not served at this hour.",
    ErrorCode.KEY_REUSED: "The idempotency key was already used, with a different body or by "
    "another user. Use a new key.",
    ErrorCode.STALE_VERSION: "It has changed since the version you named. Read it again, then "
    "decide.",
    ErrorCode.ILLEGAL_TRANSITION: "Not allowed in the order's current status.",
    ErrorCode.UNAVAILABLE: "The database cannot be used at the moment. Nothing was changed; try "
    "again.",
}

TAGS = {
    "analytics": "What a day was like, and what guests were not understood to say.",
    "calls": "Calls for staff, until somebody has answered them.",
    "devices": "Screens that were paired, and their tokens.",
    "events": "The history of everything that has happened, as the root socket sends it.",
    "menu": "The menu that orders are priced from, its versions, and what is sold out.",
    "operators": "The state of the server, and these documents.",
    "orders": "Orders, from creation to completion.",
    "pairings": "Codes with which screens are paired.",
    "payments": "Payments that were taken elsewhere.",
    "revocations": "Tokens that are not to be accepted any more.",
    "sessions": "Guests' voice sessions: who has them, and what was said.",
    "staff": "Who works here, and signing in with a PIN.",
    "tables": "Tables and their status.",
    "voice": "What guests may speak, for kiosks.",
    "webhooks": "Addresses to which events are sent as they happen.",
}
"""What the operations of each tag are about."""

CLOSES = {
    CloseCode.NORMAL: "A normal close; nothing is wrong.",
    CloseCode.GOING_AWAY: "The server is stopping. Reconnect after the retry_after_ms of "
    "going_away.",
    CloseCode.PROTOCOL_ERROR: "Your frames violate RFC 6455.",
    CloseCode.POLICY: "Authentication or a right is missing. Do not reconnect with this token.",
    CloseCode.TOO_BIG: "The message is too big.",
    CloseCode.SERVER_ERROR: "An error on our side. Reconnect and resume.",
    CloseCode.TRY_AGAIN_LATER: "The server is at its limit. Reconnect later.",
    CloseCode.TOO_SLOW: "You read too slowly. Reconnect and resume with since.",
}
