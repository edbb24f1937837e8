"""Sends what one session says as sound: as far ahead as a player needs, and no further."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from voice_service.speech.synthesis import VOICE_HZ, Voice

_log = structlog.get_logger(__name__)
_CHUNK_S = 0.5
_CHUNK_BYTES = 2 * int(_CHUNK_S * VOICE_HZ)
_AHEAD_S = 2.0
"""How much sound a client may have that it has not played yet."""


class Speaker:
    """Says one thing at a time; what comes next takes the place of what is being said.

    `send` takes the data of a `voice:speech` for the client, if it is there.
    """

    def __init__(
        self, session_id: str, voice: Voice | None, send: Callable[[Mapping[str, Any]], None]
    ) -> None:
        self._session_id = session_id
        self._voice = voice
        self._send = send
        self._saying: tuple[str, asyncio.Task[None]] | None = None

    def speak(self, say_id: str, text: str) -> None:
        """Begin to say something."""
        self.stop()
        if self._voice is not None:
            task = asyncio.get_running_loop().create_task(
                self._speak(self._voice, say_id, text), name="voice session speaking"
            )
            self._saying = say_id, task

    def hush(self, say_id: str) -> None:
        """Say no more of this; of anything else, all of it."""
        if self._saying is not None and self._saying[0] == say_id:
            self.stop()

    def stop(self) -> None:
        """Say no more."""
        if self._saying is not None:
            self._saying[1].cancel()
            self._saying = None

    async def _speak(self, voice: Voice, say_id: str, text: str) -> None:
        try:
            sound = await voice.pcm(text)
        except Exception:  # noqa: BLE001  a voice that fails leaves the guest with the text
            _log.exception("nothing can be said", session=self._session_id)
            sound = b""
        pieces = [sound[i : i + _CHUNK_BYTES] for i in range(0, len(sound), _CHUNK_BYTES)] or [b""]
        for sequence, piece in enumerate(pieces, 1):
            self._send(
                {
                    "session_id": self._session_id,
                    "say_id": say_id,
                    "sequence": sequence,
                    "audio": base64.b64encode(piece).decode(),
                    "sample_rate": VOICE_HZ,
                    "is_last": sequence == len(pieces),
                },
            )
            if sequence * _CHUNK_S > _AHEAD_S:
                await asyncio.sleep(_CHUNK_S)
