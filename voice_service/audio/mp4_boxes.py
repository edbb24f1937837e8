"""Let through only MP4 that is streamed in fragments, and whose boxes claim no more than they hold.

FFmpeg builds its index from counts in the file: a few bytes that claim millions of samples would
take gigabytes. A recorder writes empty sample tables in `moov`, and the samples' sizes in `moof`.
Pure.
"""

from __future__ import annotations

import re
from typing import Final

from voice_service.audio.formats import AudioError

_LARGEST: Final = 256 * 1024
"""Bytes of a box other than `mdat`. A second of packets takes about 1 KB, and `moov` about 1 KB."""
_LONGEST_MEDIA: Final = 1 << 40
_HEADER: Final = 8
_WIDE_HEADER: Final = 16

_EMPTY: Final = {
    b"stsz": 8,
    b"stz2": 8,
    b"stts": 4,
    b"stsc": 4,
    b"stco": 4,
    b"co64": 4,
    b"ctts": 4,
    b"stss": 4,
    b"stps": 4,
}
"""Tables that are empty in a streamed file, and where their counts are, after the box's type."""
_COUNTED: Final = {b"trun": 4, b"elst": 4, b"keys": 4}
_GROUPS: Final = (b"sbgp", b"sgpd")
"""Their count comes after the grouping's type and, except in version 0, another word."""
_NEVER: Final = (b"cmov", b"iinf", b"iloc", b"iprp", b"senc", b"saiz", b"saio", b"pssh", b"mdat")
"""Compressed, pictures or encrypted; and media inside of another box."""
_TYPES: Final = re.compile(
    b"(?=(" + b"|".join((*_EMPTY, *_COUNTED, *_GROUPS, *_NEVER, b"sidx")) + b"))"
)


class BoxGuard:
    """Follows a stream of MP4; each call takes the next bytes of it.

    `most` is how many samples, and entries of any other table, the bytes of one call may announce.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting = bytearray()
        self._media = 0
        """Bytes that are left of the current `mdat`."""
        self._announced = 0

    def checked(self, payload: bytes) -> bytes:
        """Return what may be decoded now: whole boxes, and media as it comes.

        Raises AudioError for what no recorder writes.
        """
        self._announced = 0
        self._waiting += payload
        passed = bytearray()
        while self._waiting:
            if not self._media and not self._next_box():
                break
            size = min(self._media, len(self._waiting))
            passed += self._waiting[:size]
            del self._waiting[:size]
            self._media -= size
        return bytes(passed)

    def _next_box(self) -> bool:
        """Let the next box pass, as far as it may; False if more of it must come first."""
        head = self._waiting[:_WIDE_HEADER]
        if len(head) < _HEADER:
            return False
        size, least, kind = int.from_bytes(head[:4]), _HEADER, bytes(head[4:8])
        if size == 1:
            if len(head) < _WIDE_HEADER:
                return False
            size, least = int.from_bytes(head[8:]), _WIDE_HEADER
        if not least <= size <= (_LONGEST_MEDIA if kind == b"mdat" else _LARGEST):
            raise AudioError(
                f"a box of the audio container claims {size} bytes, as no recorder writes"
            )
        if kind != b"mdat":
            if len(self._waiting) < size:
                return False
            self._look_into(bytes(self._waiting[:size]))
        self._media = size
        return True

    def _look_into(self, box: bytes) -> None:
        """Check every box inside, at whatever depth: FFmpeg knows them wherever they are."""
        for found in _TYPES.finditer(box):
            kind, body = found[1], found.end(1)
            count = self._count(kind, box, body)
            if kind in _NEVER or (kind in _EMPTY and count):
                raise AudioError(
                    "the audio container is not MP4 in plain fragments: no recorder writes such a "
                    f"{kind.decode()} box"
                )
            self._announced += count
            if self._announced > self._most:
                raise AudioError(
                    f"one chunk of an audio container may announce {self._most} packets; send "
                    "shorter chunks"
                )

    @staticmethod
    def _count(kind: bytes, box: bytes, body: int) -> int:
        version = box[body] if body < len(box) else 0
        if kind == b"sidx":
            at = body + (30 if version else 22)
            return int.from_bytes(box[at : at + 2])
        if kind in _GROUPS:
            at = body + (12 if version else 8)
        else:
            at = body + (_EMPTY.get(kind) or _COUNTED.get(kind, len(box)))
        return int.from_bytes(box[at : at + 4])
