"""What the service says to a guest, by words and by its own voice, over a real socket."""

from __future__ import annotations

import base64

import numpy as np
from support.recordings import finals, pieces, recording
from support.voice_server import Server

from voice_service.speech.synthesis import VOICE_HZ


async def test_a_guest_is_greeted_and_told_what_was_understood(server: Server) -> None:
    """Each `voice:say` names its language and why; none is in the history that staff read."""
    staff = await server.screen("*")
    client = await server.voice()
    await client.begin("s1", speak="text")
    await client.send("voice:answer", {"session_id": "s1", "text": "a cheeseburger"})
    await client.until("voice:say", lambda e: e["data"]["why"] == "change")
    says = [e["data"] for e in client.events if e["type"] == "voice:say"]
    assert [(say["say_id"], say["why"]) for say in says] == [("1", "greeting"), ("2", "change")]
    assert "computer" in says[0]["text"]
    assert {(say["language"], say["audio"]) for say in says} == {("en-US", False)}
    await staff.until("order:created")
    assert "voice:say" not in {e["type"] for e in staff.events}


async def test_where_nobody_says_it_aloud_every_word_is_the_guests(server: Server) -> None:
    """A client that did not ask to be told things plays nothing, and never says that it is over."""
    client = await server.voice()
    await client.begin("s1", speak=None)
    # What is read back has the very words of the recording.
    await client.send("voice:answer", {"session_id": "s1", "text": "a cheeseburger"})
    say = await client.until("voice:say", lambda e: e["data"]["why"] == "change")
    assert "heeseburger" in say["data"]["text"]
    await client.chunks(pieces(recording("one_item"), 100))
    final = (await client.until("voice:transcript", lambda e: e["data"]["is_final"]))["data"]
    assert (final["echo"], final["overheard"]) == (False, False)


async def test_the_services_own_voice_is_not_taken_for_the_guest(server: Server) -> None:
    """Its real sound, as a microphone beside the loudspeaker hears it, orders nothing."""
    client = await server.voice()
    started = await client.begin("s1", speak="audio", audio={"sample_rate": VOICE_HZ})
    assert started["warnings"] == []
    say = (await client.expect("voice:say"))["data"]
    assert say["audio"] is True
    # What it says is itself an order, spoken clearly.
    await client.send("voice:answer", {"session_id": "s1", "text": "two cheeseburgers"})
    change = (await client.until("voice:say"))["data"]
    sound, pieces_seen = b"", 0
    while True:
        piece = (await client.until("voice:speech"))["data"]
        if piece["say_id"] != change["say_id"]:
            continue
        pieces_seen += 1
        assert (piece["sequence"], piece["sample_rate"]) == (pieces_seen, VOICE_HZ)
        sound += base64.b64decode(piece["audio"])
        if piece["is_last"]:
            break
    heard = np.frombuffer(sound, "<i2").astype(np.float32) / 32_768 * 0.5
    assert len(heard) > VOICE_HZ
    await client.chunks(pieces(np.concatenate([heard, np.zeros(2 * VOICE_HZ, np.float32)]), 100))
    final = (await client.until("voice:transcript", lambda e: e["data"]["is_final"]))["data"]
    assert "cheeseburger" in final["text"].lower()
    assert (final["echo"], final["overheard"]) == (True, True)
    await client.end()
    [order] = await server.orders()
    assert [(i["menu_item_id"], i["quantity"]) for i in order["items"]] == [("cheeseburger", 2)]


async def test_a_guest_who_speaks_up_silences_the_service(server: Server) -> None:
    """Two words of the guest's own, and no more sound comes; their order counts."""
    client = await server.voice()
    await client.begin("s1", speak="audio")
    say = (await client.expect("voice:say"))["data"]
    await client.chunks(pieces(recording("one_item"), 100))
    stop = (await client.until("voice:say_stop"))["data"]
    assert stop == {"session_id": "s1", "say_id": say["say_id"]}
    await client.send("voice:interrupted", {"say_id": say["say_id"], "at_ms": 900})
    await client.end()
    assert not any(final["echo"] for final in finals(client.events))
    [order] = await server.orders()
    assert order["items"]


async def test_without_a_voice_the_text_is_enough(server: Server) -> None:
    """Of a language that it does not speak the client is told, and may use a voice of its own."""
    client = await server.voice()
    started = await client.begin("s1", speak="off")
    assert started["warnings"] == []
    await client.silent()
    await client.end()


async def test_taps_are_as_good_as_words(server: Server) -> None:
    """An answer, a quantity and a call for staff, without a sound from the guest."""
    client = await server.voice()
    await client.begin("s1", speak="off")

    async def after(type_: str, **data: object) -> dict[str, object]:
        await client.send(type_, {"session_id": "s1", **data})
        update: dict[str, object] = (await client.until("voice:order"))["data"]
        return update

    asked = await after("voice:answer", text="a vanilla shake")
    [reason] = asked["reasons"]  # type: ignore[misc]
    assert reason["choices"] == ["Small", "Medium", "Large"]
    chosen = await after("voice:answer", text="Large")
    assert (chosen["status"], chosen["reasons"]) == ("listening", [])
    [item] = chosen["order"]["items"]  # type: ignore[index]
    assert item["size"] == "large"
    more = await after("voice:quantity", item_id=item["id"], quantity=3)
    assert more["order"]["items"][0]["quantity"] == 3  # type: ignore[index]
    await client.send(
        "voice:quantity", {"session_id": "s1", "item_id": "99", "quantity": 1}, id="tap"
    )
    refused = await client.error("INVALID_MESSAGE")
    assert refused["id"] == "tap"
    helped = await after("voice:call_staff")
    assert helped["status"] == "needs_staff"
    assert [r["code"] for r in helped["reasons"]] == ["staff_requested"]  # type: ignore[attr-defined]
    await client.end()


async def test_a_kiosk_learns_which_languages_it_can_offer(server: Server) -> None:
    """Only what the model hears: tiny.en knows English alone."""
    headers = {"Authorization": f"Bearer {server.token()}"}
    async with server.http.get(f"{server.url}/v1/voice", headers=headers) as response:
        assert await response.json() == {"model": "tiny.en", "languages": ["en"], "spoken": ["en"]}
