"""The order of a guest who leaves in the middle of a sentence, from sound to the hub."""

from __future__ import annotations

from support.recordings import finals, recording
from support.voice_server import Server

_BEFORE_ROOT_BEER = 2_400
"""Milliseconds of "I'll have a large fries and a medium root beer" before the last item."""


async def test_what_the_end_of_a_session_makes_of_broken_off_words_is_for_staff(
    server: Server,
) -> None:
    """The medium may have been a root beer: it is told, asked about, and never confirmed."""
    client = await server.voice()
    events = await client.stream(recording("sizes")[: 16 * _BEFORE_ROOT_BEER], "s1")
    [final] = finals(events)
    held = "and a medium"
    assert final["text"].rstrip(".").endswith(held)
    heard, ended = (event["data"] for event in events if event["type"] == "voice:order")
    assert (heard["status"], heard["reasons"]) == ("listening", [])
    assert ended["status"] == "needs_staff"
    assert [(reason["code"], reason["text"]) for reason in ended["reasons"]] == [
        ("low_confidence", held)
    ]
    assert ended["change"]
    assert ended["after_utterance"] == final["utterance"]
    assert [order["status"] for order in await server.orders()] == ["pending"]
