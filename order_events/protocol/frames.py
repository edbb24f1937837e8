"""Messages as bytes on the wire, built once for all connections that receive them. Pure.

Implements RFC 6455 (framing) and RFC 7692 (permessage-deflate). A `window` is the base-2 logarithm
of the window that a connection has negotiated for what it receives, 9 to 15, or 0 without
compression.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

TEXT = 0x1
CLOSE = 0x8
FIN = 0x80
RSV1 = 0x40
DEFLATE_FROM = 200
"""Bytes; shorter messages are sent uncompressed, because they fit into one packet either way."""
MAX_CONTROL = 125
"""Most bytes in the payload of a control frame (RFC 6455, 5.5)."""
_TRAILER = b"\x00\x00\xff\xff"
_LOOKAHEAD = 262
"""zlib never refers further back than the window less this (MIN_LOOKAHEAD in its deflate.h)."""


class Message:
    """A text message. Of messages with the same `key`, only the latest matters.

    `seq` is the first place in history that it covers, or None if it is not in history.
    """

    __slots__ = ("_wire", "body", "key", "seq")

    def __init__(self, body: bytes, key: str | None = None, seq: int | None = None) -> None:
        self.body = body
        self.key = key
        self.seq = seq
        self._wire: dict[int, bytes] = {}

    def wire(self, window: int) -> bytes:
        """Return the frame for connections with this window; it is built at most once."""
        built = self._wire.get(window)
        if built is None:
            built = self._wire[window] = self._build(window)
        return built

    def _build(self, window: int) -> bytes:
        if window == 0:
            return frame(TEXT, self.body)
        if len(self.body) < DEFLATE_FROM:
            return self.wire(0)
        needed = max(9, (len(self.body) + _LOOKAHEAD).bit_length())
        if needed < window:
            # A larger window would find no more matches, and a smaller one suits more connections.
            return self.wire(needed)
        deflated = deflate(self.body, window)
        return frame(TEXT | RSV1, deflated) if len(deflated) < len(self.body) else self.wire(0)


class FrameBatch:
    """Messages sent to several connections together, in order; joined once per window."""

    __slots__ = ("_wire", "messages")

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = messages
        self._wire: dict[int, bytes] = {}

    def wire(self, window: int) -> bytes:
        """Return all the frames, concatenated."""
        built = self._wire.get(window)
        if built is None:
            built = b"".join([message.wire(window) for message in self.messages])
            self._wire[window] = built
        return built


def deflate(body: bytes, window: int) -> bytes:
    """Return a message compressed on its own, readable whatever the client has inflated before.

    Nothing in it refers to earlier messages and no block is marked as the last (RFC 7692, 7.2.1),
    so clients that keep their context between messages read it like those that do not. The
    connection must then never use a compressor of its own: its context would lack the messages that
    the client's context holds.
    """
    compressor = zlib.compressobj(wbits=-window)
    out = compressor.compress(body) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return out.removesuffix(_TRAILER)


def frame(first: int, payload: bytes) -> bytes:
    """Return an unmasked final frame.

    `first` is the opcode, with RSV1 if the payload is deflated.
    """
    size = len(payload)
    if size < 126:
        return bytes((FIN | first, size)) + payload
    if size < 65_536:
        return bytes((FIN | first, 126)) + size.to_bytes(2) + payload
    return bytes((FIN | first, 127)) + size.to_bytes(8) + payload


def close_frame(code: int, reason: str) -> bytes:
    """Return a close frame; a reason that is too long is cut between two characters."""
    fitting = reason.encode()[: MAX_CONTROL - 2].decode(errors="ignore")
    return frame(CLOSE, code.to_bytes(2) + fitting.encode())
