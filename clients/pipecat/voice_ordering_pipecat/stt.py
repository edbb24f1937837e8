"""One session of the voice service as the recogniser of a Pipecat pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    InterimTranscriptionFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    StartFrame,
    TranscriptionFrame,
)
from pipecat.services.settings import STTSettings
from pipecat.services.stt_service import STTService
from pipecat.transcriptions.language import Language

from order_events.client import TokenSource
from voice_service.client import StreamFailed, VoiceSession

_LAST_WORDS_S = 30.0
"""Seconds for what was said last to be recognised when the pipeline ends."""


class VoiceOrderingSTTService(STTService):
    """Recognises speech over `/voice-stream`, which also says where it begins and ends.

    Use it without a voice activity detector and turn analyser of the pipeline's own. Orders are
    understood as well: the event handler `on_order` gets the `data` of each `voice:order`. A lost
    connection is resumed without a word lost; if that fails, an ErrorFrame says why.

    `url` is the server's address and `token` one of the role `device`. `options` are further fields
    of `voice:start`, such as `lane`, or `order="off"`.
    """

    def __init__(
        self,
        *,
        url: str,
        token: TokenSource,
        language: str = "en-US",
        sample_rate: int | None = None,
        options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        settings = STTSettings(model=None, language=language)
        super().__init__(sample_rate=sample_rate, settings=settings, **kwargs)
        self._url = url
        self._token = token
        self._language = language
        self._options = options or {}
        self._session: VoiceSession | None = None
        self._receiving: asyncio.Task[None] | None = None
        self._register_event_handler("on_order")

    @property
    def supports_ttfs(self) -> bool:
        """False: where a turn ends is found by the service, so there is nothing to wait for."""
        return False

    def can_generate_metrics(self) -> bool:
        """Return True, as it does."""
        return True

    async def start(self, frame: StartFrame) -> None:
        """Open a session."""
        await super().start(frame)
        audio = {"encoding": "pcm_s16le", "sample_rate": self.sample_rate}
        session = VoiceSession(
            self._url, self._token, language=self._language, audio=audio, **self._options
        )
        self._session = await session.__aenter__()
        self._receiving = self.create_task(self._receive(session), name="voice session")

    async def stop(self, frame: EndFrame) -> None:
        """End the session, once the last words have come."""
        if self._session is not None and self._receiving is not None:
            try:
                await self._session.finish()
                async with asyncio.timeout(_LAST_WORDS_S):
                    await asyncio.shield(self._receiving)
            except (StreamFailed, TimeoutError) as error:
                await self.push_error(error_msg=f"the last words may be lost: {error}")
        await self._close()
        await super().stop(frame)

    async def cancel(self, frame: CancelFrame) -> None:
        """Leave the session. The server ends it if nobody resumes it."""
        await self._close()
        await super().cancel(frame)

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Send audio. What is heard in it comes on its own."""
        if self._session is not None:
            try:
                await self._session.send(audio)
            except StreamFailed as error:
                yield ErrorFrame(error=str(error))
        yield None

    async def _close(self) -> None:
        if self._receiving is not None:
            await self.cancel_task(self._receiving)
        if self._session is not None:
            await self._session.__aexit__(None, None, None)
        self._receiving = self._session = None

    async def _receive(self, session: VoiceSession) -> None:
        try:
            async for event in session:
                await self._take(event["type"], event["data"], event["timestamp"])
        except StreamFailed as error:
            await self.push_error(error_msg=str(error), exception=error)

    async def _take(self, kind: str, data: dict[str, Any], timestamp: str) -> None:
        match kind:
            case "voice:speech_started":
                await self.start_processing_metrics()
                await self.broadcast_frame(ProposedUserStartedSpeakingFrame)
            case "voice:transcript" if data["is_final"]:
                await self.push_frame(
                    TranscriptionFrame(
                        data["text"],
                        self._user_id,
                        timestamp,
                        _language(data["language"]),
                        result=data,
                        finalized=True,
                    )
                )
                await self.stop_processing_metrics()
                # After the words, so that whoever answers the turn has them.
                await self.broadcast_frame(ProposedUserStoppedSpeakingFrame)
            case "voice:transcript":
                await self.push_frame(
                    InterimTranscriptionFrame(
                        data["text"],
                        self._user_id,
                        timestamp,
                        _language(data["language"]),
                        result=data,
                    )
                )
            case "voice:speech_discarded":
                await self.broadcast_frame(ProposedUserStoppedSpeakingFrame)
            case "voice:order":
                await self._call_event_handler("on_order", data)
            case "error":
                await self.push_error(error_msg=data["message"])


def _language(tag: str) -> Language | None:
    try:
        return Language(tag)
    except ValueError:
        return None
