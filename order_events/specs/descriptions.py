"""What error and close codes mean, and what to do: texts of the documents."""

from __future__ import annotations

from order_events.protocol.messages import CloseCode, ErrorCode

ERRORS = {
    ErrorCode.INVALID_MESSAGE: "Not JSON, or a field is wrong; the message says which.",
    ErrorCode.UNKNOWN_TYPE: "There is no such message on this socket.",
    ErrorCode.UNAUTHORIZED: "No token, or a bad one. On a socket, close code 1008 follows.",
    ErrorCode.FORBIDDEN: "The role may not do that.",
    ErrorCode.RATE_LIMITED: "Too much, or too fast: send it again after retry_after_ms.",
    ErrorCode.SUBSCRIPTION_LIMIT: "Too many subscriptions; take one back with unsubscribe.",
    ErrorCode.SESSION_NOT_FOUND: "No voice session is open here, or none can be resumed.",
    ErrorCode.SESSION_EXISTS: "This connection has a session, or the session_id is taken.",
    ErrorCode.INVALID_AUDIO: "Bad base64 or a wrong length: send that sequence again. A damaged "
    "container: start a new session.",
    ErrorCode.AUDIO_GAP: "Chunks never came; sequences names them. Silence took their place.",
    ErrorCode.UNSUPPORTED_LANGUAGE: "The loaded model does not know it; the message lists what it "
    "knows.",
    ErrorCode.OVERLOADED: "No room now. Come back after retry_after_ms, or with growing pauses.",
    ErrorCode.INTERNAL: "Our fault; it is in the server's log.",
    ErrorCode.NOT_FOUND: "There is no such thing in this restaurant.",
    ErrorCode.INVALID_ORDER: "The body contradicts itself, the menu or what is stored.",
    ErrorCode.UNKNOWN_ITEM: "The menu has no such item, size or modifier.",
    ErrorCode.SOLD_OUT: "The item is on the menu but sold out.",
    ErrorCode.NOT_SERVED: "The item is on the menu, but not at this hour.",
    ErrorCode.KEY_REUSED: "The idempotency key came before, with something else: use a new one.",
    ErrorCode.STALE_VERSION: "Somebody else has changed it since: read it again, then decide.",
    ErrorCode.ILLEGAL_TRANSITION: "An order in this status may not take that step.",
    ErrorCode.UNAVAILABLE: "The database cannot be used now. Nothing was changed; try again.",
}

CLOSES = {
    CloseCode.NORMAL: "Over; nothing is wrong.",
    CloseCode.GOING_AWAY: "The server stops: come back after going_away's retry_after_ms.",
    CloseCode.PROTOCOL_ERROR: "Your frames break RFC 6455.",
    CloseCode.POLICY: "Authentication or a right is missing: do not come back with this token.",
    CloseCode.TOO_BIG: "The message was too big.",
    CloseCode.SERVER_ERROR: "Our fault: come back, and resume.",
    CloseCode.TRY_AGAIN_LATER: "No room: come back later.",
    CloseCode.TOO_SLOW: "You read too slowly: come back, and resume with since.",
}
