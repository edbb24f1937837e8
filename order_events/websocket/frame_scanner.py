"""Follows a client's WebSocket frame headers for breaches that aiohttp accepts. Pure.

aiohttp's own reader refuses reserved bits and opcodes, fragmented or oversized control frames,
continuations without a start, invalid UTF-8 and oversized messages. It accepts unmasked frames,
compressed control frames, a complete message inside one that so far has only empty frames, and any
number of frames per message.
"""

from __future__ import annotations

from dataclasses import dataclass

from order_events.protocol.messages import CloseCode

_CLOSE = 0x8
_CONTROL = 0x8
_EXTENDED = {126: 2, 127: 8}
"""Bytes of an extended length, by the header's 7 bits of length (RFC 6455, 5.2)."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach of the protocol, and the close code that answers it."""

    code: CloseCode
    reason: str


UNMASKED = Breach(CloseCode.PROTOCOL_ERROR, "a client must mask its frames (RFC 6455, 5.1)")
COMPRESSED_CONTROL = Breach(
    CloseCode.PROTOCOL_ERROR, "a control frame cannot be compressed (RFC 7692, 6.1)"
)
INTERLEAVED = Breach(
    CloseCode.PROTOCOL_ERROR, "a message may not begin inside another (RFC 6455, 5.4)"
)
FRAGMENTED = Breach(CloseCode.TOO_BIG, "a message in too many frames")


class FrameScanner:
    """Scans the headers of a stream of frames, in chunks of any size.

    `max_frames` is how many frames one message may have. `breach` is the first breach found;
    nothing after it, or after the peer's close frame, is examined.
    """

    def __init__(self, max_frames: int) -> None:
        self.breach: Breach | None = None
        self._max_frames = max_frames
        self._header = bytearray()
        self._payload_left = 0
        self._frames = 0
        self._bytes = 0
        self._over = False

    def feed(self, data: bytes) -> Breach | None:
        """Scan received bytes; return `breach`."""
        at = 0
        while at < len(data) and not self._over:
            if self._payload_left:
                step = min(self._payload_left, len(data) - at)
                self._payload_left -= step
            else:
                step = self._header_size() - len(self._header)
                self._header += data[at : at + step]
                if len(self._header) == self._header_size():
                    self._begin_frame()
            at += step
        return self.breach

    def _header_size(self) -> int:
        """Return the size of the header in bytes, as far as the bytes received tell."""
        if len(self._header) < 2:
            return 2
        second = self._header[1]
        return 2 + _EXTENDED.get(second & 0x7F, 0) + (4 if second & 0x80 else 0)

    def _begin_frame(self) -> None:
        first, second = self._header[:2]
        extended = _EXTENDED.get(second & 0x7F, 0)
        length = int.from_bytes(self._header[2 : 2 + extended]) if extended else second & 0x7F
        self._header.clear()
        self._payload_left = length
        self.breach = self._judge(first, second, length)
        self._over = self.breach is not None or first & 0x0F == _CLOSE

    def _judge(self, first: int, second: int, length: int) -> Breach | None:
        opcode, final, compressed = first & 0x0F, first & 0x80, first & 0x40
        if not second & 0x80:
            return UNMASKED
        if opcode & _CONTROL:
            return COMPRESSED_CONTROL if compressed else None
        if opcode and final and self._frames and not self._bytes:
            return INTERLEAVED
        self._frames += 1
        self._bytes += length
        if self._frames > self._max_frames:
            return FRAGMENTED
        if final:
            self._frames = self._bytes = 0
        return None
