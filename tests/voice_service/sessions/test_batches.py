"""Batches in the running service: several guests at once, one worker."""

from __future__ import annotations

import asyncio

import pytest
from support.recordings import recording, sidecar, text_of, wer
from support.voice_server import Start, tiny

from order_events.app import EVENTS
from voice_service.asr.recognizer import Recognizer

SPOKEN = ("one_item", "modifiers", "sizes", "british_coffee", "quantities")


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    """Load the model as on a GPU."""
    return tiny(batch_size=8, decode_workers=1)


async def test_guests_who_are_decoded_together_each_get_their_own_words(start: Start) -> None:
    """Audio is sent as fast as possible, so that all guests wait for the worker."""
    server = await start(max_sessions=len(SPOKEN))
    clients = [await server.voice() for _ in SPOKEN]
    await asyncio.gather(
        *(
            client.stream(recording(name), name, order="off")
            for name, client in zip(SPOKEN, clients, strict=True)
        )
    )
    for name, client in zip(SPOKEN, clients, strict=True):
        assert wer(sidecar(name)["text"], text_of(client.events)) <= 0.15
    registry = server.app[EVENTS].metrics.registry
    shared = 0.0
    for kind in ({"kind": "quick"}, {"kind": "thorough"}):
        decoded = registry.get_sample_value("voice_decode_batch_size_sum", kind) or 0
        shared += decoded - (registry.get_sample_value("voice_decode_batch_size_count", kind) or 0)
    assert shared > 0
