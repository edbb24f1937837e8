"""Split a recording into chunks to send, with their order and the times at which they are due."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np

from voice_service.audio.formats import SAMPLE_RATE, Samples

_MESSAGES_PER_SECOND = 16
"""The protocol allows 1,000 voice messages a minute; a faster stream gets longer chunks."""
_MAX_CHUNK_MS = 1_400
"""As base64, a longer chunk would not fit into a message of 64 KB."""


def pcm(samples: Samples) -> bytes:
    """Return samples as `pcm_s16le`."""
    return (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()


@dataclass(frozen=True, slots=True)
class OutgoingChunk:
    """A payload, its sequence, and the seconds from the start until a microphone has it."""

    sequence: int
    payload: bytes
    due: float


@dataclass(frozen=True, slots=True)
class Pace:
    """How to send a recording: at `speed` times real time (0: at once), in chunks of `chunk_ms`.

    To exercise a server, chunks may be shuffled within windows of `shuffle` chunks and dropped with
    probability `drop`; the same `seed` gives the same disorder.
    """

    speed: float = 1.0
    chunk_ms: int = 100
    shuffle: int = 1
    drop: float = 0.0
    seed: int = 0

    def chunks(self, samples: Samples) -> list[OutgoingChunk]:
        """Return the chunks of a recording in the order in which they are sent."""
        chunk_ms = self._chunk_ms()
        length = max(1, SAMPLE_RATE * chunk_ms // 1000)
        step = chunk_ms / 1000 / self.speed if self.speed else 0.0
        rng = random.Random(self.seed)  # noqa: S311  must be repeatable; not a secret
        order = list(range(0, len(samples), length))
        for i in range(0, len(order), self.shuffle):
            window = order[i : i + self.shuffle]
            rng.shuffle(window)
            order[i : i + self.shuffle] = window
        return [
            OutgoingChunk(start // length + 1, pcm(samples[start : start + length]), (i + 1) * step)
            for i, start in enumerate(order)
            if rng.random() >= self.drop
        ]

    def _chunk_ms(self) -> int:
        if not self.speed:
            return _MAX_CHUNK_MS
        allowed = round(1000 * self.speed / _MESSAGES_PER_SECOND)
        return min(_MAX_CHUNK_MS, max(self.chunk_ms, allowed))


async def play(chunks: list[OutgoingChunk], start: float) -> AsyncIterator[tuple[int, bytes]]:
    """Yield (sequence, payload) of each chunk when it is due; `start` is on the loop's clock."""
    loop = asyncio.get_running_loop()
    for chunk in chunks:
        wait = start + chunk.due - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        yield chunk.sequence, chunk.payload
