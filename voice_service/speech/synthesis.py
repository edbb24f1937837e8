"""The service's own voice, from the extra `[speak]`: text in, 16-bit PCM out."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hibari import Hibari

VOICE_HZ = 24_000
LANGUAGES = frozenset({"en"})
"""ISO 639 codes of what the voice can say. Other languages are left to the client's own voice."""
_KEPT = 200
"""Texts whose sound is kept: greetings and questions come again with every guest. 100 KB each."""
_LONGEST = 600
"""Characters that are said at most: half a minute."""


class Voice:
    """Turns text into sound, on a thread of its own, and keeps what it has said."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="voice")
        self._said: OrderedDict[str, bytes] = OrderedDict()

    async def pcm(self, text: str) -> bytes:
        """Return the text as `pcm_s16le` at `VOICE_HZ`."""
        text = text[:_LONGEST]
        sound = self._said.get(text)
        if sound is None:
            loop = asyncio.get_running_loop()
            sound = await loop.run_in_executor(self._thread, _synthesise, text)
            self._said[text] = sound
            while len(self._said) > _KEPT:
                self._said.popitem(last=False)
        self._said.move_to_end(text)
        return sound

    def close(self) -> None:
        """Stop the thread; what it is saying is finished."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def installed() -> bool:
    """Return whether the extra is installed."""
    return find_spec("hibari") is not None


@lru_cache(maxsize=1)
def _model() -> Hibari:
    from hibari import Hibari  # noqa: PLC0415  optional, and half a second to load

    return Hibari()


def _synthesise(text: str) -> bytes:
    sound = np.clip(_model()(text, seed=0), -1.0, 1.0)
    return np.asarray(sound * 32_767, dtype="<i2").tobytes()
