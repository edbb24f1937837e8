"""Take a session's chunks as they arrive: check them, limit their rate, and put them in order.

Pure: time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass

from order_events.protocol.messages import ErrorCode, ProtocolError
from order_events.protocol.ratelimit import TokenBucket
from voice_service.audio.formats import (
    AudioDecoder,
    AudioError,
    WrongDeclaration,
    decode_base64,
)
from voice_service.audio.reorder_buffer import Gap, Outcome, ReorderBuffer

_REFUSED_RETRY_MS = 500
"""Least time after which a refused chunk may be sent again."""
_BURST_SECONDS = 180.0
"""Audio that may come at once, from a client that has to catch up or streams a file."""
_WAITING_SECONDS = 30.0
"""Audio that may wait behind a gap. It becomes due in one step, which takes the event loop about
8 ms per second of audio."""
_REPORTED_SEQUENCES = 256
"""Most sequences that the error about a gap lists."""


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """How far ahead and how fast chunks may come, and how long a missing one is waited for.

    A chunk must be fewer than `capacity` sequences ahead. A missing chunk is waited for
    `gap_patience` seconds. Audio is refused while more than `max_backlog` seconds of it wait for
    their finals, and beyond `max_speed` times real time (after a burst of 3 minutes).
    """

    capacity: int
    gap_patience: float
    max_backlog: float
    max_speed: float


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A payload and its sequence."""

    sequence: int
    payload: bytes


class Intake:
    """Takes chunks as they arrive and returns them in order."""

    def __init__(self, settings: IntakeSettings, decoder: AudioDecoder, now: float) -> None:
        self._settings = settings
        self._decoder = decoder
        self._reorder: ReorderBuffer[AudioChunk] = ReorderBuffer(
            settings.capacity, settings.gap_patience
        )
        self._pace = TokenBucket(60 * settings.max_speed, now, burst=_BURST_SECONDS)
        self._refuse_until = now
        self._wrong: WrongDeclaration | None = None
        """Why the first chunk was refused, until the right one comes."""

    @property
    def next_sequence(self) -> int:
        """Return the first sequence that has not been returned yet."""
        return self._reorder.next_sequence

    def push(
        self, sequence: int, encoded: str, backlog: float, now: float
    ) -> list[AudioChunk | Gap]:
        """Take a chunk of base64; return what is now due. `backlog`: seconds awaiting finals.

        Raises ProtocolError; a refused chunk has no effect.
        """
        try:
            payload = decode_base64(encoded)
            self._check_declaration(sequence, payload)
            self._decoder.check(payload)
        except WrongDeclaration as error:
            raise ProtocolError(
                ErrorCode.INVALID_AUDIO, f"{error}; start a new session", sequence=sequence
            ) from error
        except AudioError as error:
            raise ProtocolError(
                ErrorCode.INVALID_AUDIO, f"{error}; send this sequence again", sequence=sequence
            ) from error
        if sequence >= self.next_sequence:
            self._hold_back(sequence, payload, backlog, now)
        outcome, due = self._reorder.push(sequence, AudioChunk(sequence, payload), now)
        if outcome is Outcome.TOO_FAR:
            raise ProtocolError(
                ErrorCode.INVALID_MESSAGE,
                f"sequence {sequence} is too far ahead; the next one is {self.next_sequence}",
                sequence=sequence,
            )
        return due

    def next_deadline(self) -> float | None:
        """Return when the oldest gap will be given up; None while nothing is missing."""
        return self._reorder.next_deadline()

    def expire(self, now: float) -> list[AudioChunk | Gap]:
        """Give up the gaps whose time has come; return what is now due."""
        return self._reorder.expire(now)

    def flush(self) -> list[AudioChunk | Gap]:
        """Give up every gap, since nothing more will arrive; return what is now due."""
        return self._reorder.flush()

    def hold(self, now: float) -> None:
        """Restart the waiting time of all gaps, since the connection was lost."""
        self._reorder.hold(now)

    def _check_declaration(self, sequence: int, payload: bytes) -> None:
        """Raise WrongDeclaration if the stream begins with something else than was declared.

        What follows such a beginning is refused as well: it would be heard as noise.
        """
        if sequence == self.next_sequence == 1:
            self._wrong = None
            try:
                self._decoder.check_first(payload)
            except WrongDeclaration as error:
                self._wrong = error
        if self._wrong is not None:
            raise self._wrong

    def _waiting_seconds(self) -> float:
        return sum(self._decoder.duration(chunk.payload) for chunk in self._reorder.waiting)

    def _hold_back(self, sequence: int, payload: bytes, backlog: float, now: float) -> None:
        """Raise `RATE_LIMITED` if this chunk comes too soon.

        Once a chunk has been refused, the ones after it are, too, for as long as a gap may stay
        open: otherwise the chunk would be sent again too late.
        """
        full = backlog > self._settings.max_backlog or (
            sequence > self.next_sequence and self._waiting_seconds() > _WAITING_SECONDS
        )
        wait = self._pace.take(self._decoder.duration(payload), now)
        if full or wait:
            self._refuse_until = now + self._settings.gap_patience
        elif sequence == self.next_sequence:
            self._refuse_until = now
        if full or wait or now < self._refuse_until:
            raise ProtocolError(
                ErrorCode.RATE_LIMITED,
                "audio comes faster than it can be recognised; send this chunk again later",
                sequence=sequence,
                retry_after_ms=max(_REFUSED_RETRY_MS, round(1000 * wait)),
            )


def gap_error(gap: Gap, in_place: str) -> ProtocolError:
    """Return the error for a gap, with what the decoder puts in its place."""
    which = f"sequence {gap.first}" if gap.count == 1 else f"sequences {gap.first} to {gap.last}"
    return ProtocolError(
        ErrorCode.AUDIO_GAP,
        f"{which} did not arrive in time; {in_place}",
        sequence=gap.first,
        sequences=range(gap.first, gap.last + 1)[:_REPORTED_SEQUENCES],
    )
