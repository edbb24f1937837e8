"""Follows a client's WebSocket frames, header by header, for what aiohttp lets through. Pure.

aiohttp's own reader refuses reserved bits and opcodes, fragmented or long control frames,
continuations of nothing, bad UTF-8 and messages that are too large. It accepts frames that are not
masked, compressed control frames, a whole message inside one of which there are only empty frames
yet, and frames without end.
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
    """What the peer did wrong, and the close code it gets."""

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
    """Takes bytes as they come, however they are cut, and looks at frame headers only.

    `max_frames` is how many frames one message may be split into. `breach` is the first thing that
    was wrong; nothing is looked at after it, nor after the peer's close frame.
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
        """Takes what has been received; returns `breach`."""
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
        """Bytes of the header, as far as it can be told from those that are there."""
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
