"""A trace from the first chunk of an utterance to the sockets that are told of its order."""

from __future__ import annotations

import asyncio

from support.recordings import recording
from support.spans import TRACE, TRACEPARENT, traced
from support.voice_server import TIMEOUT, Start


async def test_an_utterance_is_followed_from_its_chunks_to_the_screens(start: Start) -> None:
    """Chunk, decode, order, commit, event, socket: under the trace that the client names."""
    with traced() as spans:
        server = await start()
        screen = await server.screen("order:*")
        client = await server.open(f"/voice-stream?traceparent={TRACEPARENT}")
        await client.send("auth", token=server.token())
        await client.until("connected")
        await client.stream(recording("one_item"), "s-1")
        await screen.until("order:created")
        async with asyncio.timeout(TIMEOUT):
            while not (  # noqa: ASYNC110 (a span tells nobody)
                orders := [s for s in spans.of("fan out") if "order" in spans.path(s)]
            ):
                await asyncio.sleep(0.02)
        assert spans.path(orders[0]) == ["fan out", "commit", "order", "utterance"]
        utterance = spans.of("utterance")[0]
        assert utterance.attributes is not None
        assert utterance.attributes["session_id"] == "s-1"
        assert utterance.attributes["outcome"] == "voice:transcript"
        noted = [event.name for event in utterance.events]
        assert "chunk" in noted
        assert "speech ended" in noted
        decodes = [s for s in spans.of("decode") if spans.path(s) == ["decode", "utterance"]]
        assert any(s.attributes and s.attributes["thorough"] for s in decodes)
        made = (utterance, decodes[0], orders[0])
        assert {format(s.context.trace_id, "032x") for s in made if s.context} == {TRACE}
