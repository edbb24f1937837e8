"""Plays a recording through a real Pipecat pipeline against a running service.

`python play.py URL TOKEN RECORDING.wav`; prints what came out of the pipeline as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import wave
from typing import Any

from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner
from voice_ordering_pipecat import VoiceOrderingSTTService

KINDS = (
    ErrorFrame,
    InterimTranscriptionFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
)
FRAME_S = 0.02


class Notes(FrameProcessor):
    """Notes what passes, as an agent would see it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, Any]] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, KINDS):
            text = getattr(frame, "text", None) or getattr(frame, "error", None)
            final = getattr(frame, "finalized", None)
            self.seen.append({"frame": type(frame).__name__, "text": text, "final": final})
        await self.push_frame(frame, direction)


async def main(url: str, token: str, recording: str) -> None:
    """Play the recording in real time, and print what was seen."""
    with wave.open(recording) as file:
        rate, audio = file.getframerate(), file.readframes(file.getnframes())
    stt = VoiceOrderingSTTService(url=url, token=token, options={"lane": "9"})
    before, after, orders = Notes(), Notes(), []

    @stt.event_handler("on_order")
    async def on_order(service: VoiceOrderingSTTService, order: dict[str, Any]) -> None:
        orders.append(order["readback"])

    worker = PipelineWorker(
        Pipeline([before, stt, after]), params=PipelineParams(audio_in_sample_rate=rate)
    )

    async def play() -> None:
        size = 2 * round(FRAME_S * rate)
        for start in range(0, len(audio), size):
            frame = InputAudioRawFrame(audio[start : start + size], rate, 1)
            await worker.queue_frame(frame)
            await asyncio.sleep(FRAME_S)
        await worker.queue_frame(EndFrame())

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await asyncio.gather(runner.run(), play())
    errors = [n for n in before.seen if n["frame"] == "ErrorFrame"]
    print(json.dumps({"seen": after.seen, "errors": errors, "orders": orders}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
