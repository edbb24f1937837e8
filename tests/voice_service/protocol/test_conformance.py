"""Every documented message of `/voice-stream`, by example, over a real socket."""

from __future__ import annotations

import base64
import io
import uuid
from typing import Any

import pytest
import soundfile
from support.containers import written
from support.paths import AUDIO
from support.recordings import finals, pieces, recording, sidecar, text_of, wer
from support.voice_event_shapes import assert_documented, assert_in_sequence, assert_shape
from support.voice_server import Start, VoiceClient

from order_events.auth.tokens import Role
from voice_service.protocol.messages import VOICE_TYPES


async def test_a_session_as_the_documented_client_holds_it(start: Start) -> None:
    """Its four messages, word for word; the answers in order and with every documented field."""
    server = await start()
    client = await server.voice()
    session_id = str(uuid.uuid4())
    await client.send("voice:start", {"session_id": session_id, "language": "en-US"})
    started = (await client.expect("voice:started"))["data"]
    assert started == {
        "session_id": session_id,
        "language": "en-US",
        "model": "tiny.en",
        "next_sequence": 1,
        "resumed": False,
        "audio": {"encoding": "pcm_s16le", "sample_rate": 16_000, "channels": 1},
        "warnings": [],
    }
    await client.play(recording("correct_size"), speed=2)
    await client.send("voice:end", {"session_id": session_id, "duration": 30})
    answer = (await client.until("voice:end"))["data"]
    await client.silent()
    events = client.events[1:]
    assert_documented(events)
    assert_in_sequence([e for e in events if e["type"] != "pong"])
    expected = sidecar("correct_size")
    assert wer(expected["text"], text_of(events)) <= 0.1
    assert answer["audio_ms"] == expected["audio"]["duration_ms"]
    assert answer["duration"] == pytest.approx(answer["audio_ms"] / 1000)
    [order] = await server.orders()
    assert answer["order_id"] == order["id"]
    transcripts = [e["data"] for e in events if e["type"] == "voice:transcript"]
    assert any(not t["is_final"] for t in transcripts)
    assert all(t["session_id"] == session_id for t in transcripts)
    assert all(t["language"] == "en-US" for t in transcripts)


async def test_finals_carry_times_of_the_recording(start: Start) -> None:
    """Utterances and words are where the sidecar has them."""
    client = await (await start()).voice()
    events = await client.stream(recording("correct_size"), "s1", order="off")
    spoken = sidecar("correct_size")["utterances"]
    heard = finals(events)
    assert len(heard) == len(spoken)
    for said, final in zip(spoken, heard, strict=True):
        assert abs(final["start_ms"] - said["start_ms"]) < 350
        assert abs(final["end_ms"] - said["end_ms"]) < 350
        words = final["words"]
        assert " ".join(word["text"] for word in words) == final["text"]
        assert [w["start_ms"] for w in words] == sorted(w["start_ms"] for w in words)
        assert words[0]["start_ms"] >= final["start_ms"]
        assert abs(words[-1]["end_ms"] - said["end_ms"]) < 600


async def test_voice_order_says_what_was_understood(start: Start) -> None:
    """Order, readback, status and reasons, growing with the utterances."""
    client = await (await start()).voice()
    events = await client.stream(recording("correct_quantity"), "s1")
    orders = [e["data"] for e in events if e["type"] == "voice:order"]
    assert {o["status"] for o in orders} <= {"listening", "clarify", "confirmed", "needs_staff"}
    assert orders[-1]["status"] == "confirmed"
    assert orders[-1]["order"]["items"]
    assert orders[-1]["order"]["source"] == {"session_id": "s1", "lane": None}
    assert all(isinstance(o["readback"], str) for o in orders)


async def test_what_is_not_on_the_menu_is_reported_not_dropped(start: Start) -> None:
    """`voice:order` names it and asks."""
    client = await (await start()).voice()
    events = await client.stream(recording("not_on_the_menu"), "s1")
    asked, *_, last = [e["data"] for e in events if e["type"] == "voice:order"]
    assert asked["status"] == "clarify"
    assert last["status"] in ("clarify", "needs_staff")
    assert any("pizza" in reason["text"].lower() for reason in asked["reasons"])
    for reason in [*asked["reasons"], *last["reasons"]]:
        shape = {"code": str, "text": str, "utterance": int, "question": (str, type(None))}
        assert_shape(reason, shape)


async def test_order_off_gives_transcripts_alone(start: Start) -> None:
    """No `voice:order`, no order at the hub."""
    server = await start()
    client = await server.voice()
    events = await client.stream(recording("one_item"), "s1", order="off")
    assert finals(events)
    assert "voice:order" not in {e["type"] for e in events}
    assert events[-1]["data"]["order_id"] is None
    assert await server.orders() == []


async def test_the_connection_stays_open_for_another_session(start: Start) -> None:
    """The next guest at the same kiosk."""
    client = await (await start()).voice()
    first = list(await client.stream(recording("one_item"), "guest-1"))
    client.events.clear()
    second = await client.stream(recording("sizes"), "guest-2")
    assert_in_sequence(second)
    assert wer(sidecar("one_item")["text"], text_of(first)) <= 0.15
    assert wer(sidecar("sizes")["text"], text_of(second)) <= 0.15
    assert {e["data"]["session_id"] for e in second} == {"guest-2"}
    assert finals(second)[0]["utterance"] == 1


async def test_a_header_authenticated_socket_gets_connected_alone(start: Start) -> None:
    """Nothing comes between `connected` and the first answer."""
    client = await (await start()).voice()
    [connected] = client.events
    assert set(connected["data"]) == {"connection_id", "epoch", "seq"}
    await client.silent()


async def test_a_browser_authenticates_with_its_first_message(start: Start) -> None:
    """It cannot set a header; then everything is the same."""
    server = await start()
    client = await server.open()
    await client.send("auth", token=server.token(), id="a1")
    success = await client.expect("auth:success")
    assert success["id"] == "a1"
    assert success["data"]["role"] == "device"
    await client.expect("connected")
    assert finals(await client.stream(recording("one_item"), "s1"))


@pytest.mark.parametrize("how", ["bad token", "no auth", "ping first", "other restaurant"])
async def test_without_authentication_nothing_is_served(start: Start, how: str) -> None:
    """`UNAUTHORIZED`, then 1008."""
    server = await start(auth_timeout_s=0.3)
    client = await server.open()
    if how == "bad token":
        await client.send("auth", token=server.token()[:-4] + "AAAA")
    elif how == "ping first":
        await client.send("ping")
    elif how == "other restaurant":
        await client.send("auth", token=server.token(), restaurant_id="another")
    await client.error("UNAUTHORIZED")
    assert await client.close_code() == 1008


@pytest.mark.parametrize(("role", "allowed"), [(Role.KITCHEN, False), (Role.SERVER, True)])
async def test_the_role_decides_who_may_use_a_microphone(
    start: Start, role: Role, allowed: bool
) -> None:
    """`FORBIDDEN` and 1008 for the kitchen; a waiter may take an order by voice."""
    server = await start()
    headers = {"Authorization": f"Bearer {server.token(role)}"}
    client = VoiceClient(
        await server.http.ws_connect(server.url + "/voice-stream", headers=headers)
    )
    if allowed:
        await client.expect("connected")
        await client.begin("s1")
    else:
        await client.error("FORBIDDEN")
        assert await client.close_code() == 1008


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("no such type", {"type": "voice:stop", "data": {}}, "UNKNOWN_TYPE"),
    ("no data", {"type": "voice:start"}, "INVALID_MESSAGE"),
    ("no session", {"type": "voice:start", "data": {"language": "en-US"}}, "INVALID_MESSAGE"),
    ("empty session", {"type": "voice:start", "data": {"session_id": ""}}, "INVALID_MESSAGE"),
    (
        "encoding",
        {"type": "voice:start", "data": {"session_id": "s", "audio": {"encoding": "mp3"}}},
        "INVALID_MESSAGE",
    ),
    (
        "rate",
        {"type": "voice:start", "data": {"session_id": "s", "audio": {"sample_rate": 4_000}}},
        "INVALID_MESSAGE",
    ),
    (
        "key of audio",
        {"type": "voice:start", "data": {"session_id": "s", "audio": {"sampleRate": 8_000}}},
        "INVALID_MESSAGE",
    ),
    (
        "keyterms",
        {"type": "voice:start", "data": {"session_id": "s", "keyterms": "cola"}},
        "INVALID_MESSAGE",
    ),
    (
        "channels",
        {"type": "voice:start", "data": {"session_id": "s", "audio": {"channels": 0}}},
        "INVALID_MESSAGE",
    ),
    (
        "language",
        {"type": "voice:start", "data": {"session_id": "s", "language": "de-DE"}},
        "UNSUPPORTED_LANGUAGE",
    ),
    (
        "one of several languages",
        {"type": "voice:start", "data": {"session_id": "s", "language": "en-US, es-MX"}},
        "UNSUPPORTED_LANGUAGE",
    ),
    (
        "five languages",
        {"type": "voice:start", "data": {"session_id": "s", "language": "en,es,de,fr,it"}},
        "INVALID_MESSAGE",
    ),
    (
        "resume",
        {"type": "voice:start", "data": {"session_id": "s", "resume": True}},
        "SESSION_NOT_FOUND",
    ),
    (
        "audio before start",
        {"type": "voice:audio", "data": {"audio": "AAAA", "sequence": 1}},
        "SESSION_NOT_FOUND",
    ),
    ("end before start", {"type": "voice:end", "data": {"session_id": "s"}}, "SESSION_NOT_FOUND"),
    (
        "sequence 0",
        {"type": "voice:audio", "data": {"audio": "AAAA", "sequence": 0}},
        "INVALID_MESSAGE",
    ),
    (
        "sequence text",
        {"type": "voice:audio", "data": {"audio": "AAAA", "sequence": "one"}},
        "INVALID_MESSAGE",
    ),
]


@pytest.mark.parametrize(("message", "code"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
async def test_a_wrong_message_is_answered_with_its_code_and_id_and_harms_nothing(
    start: Start, message: dict[str, Any], code: str
) -> None:
    """The socket stays usable, and the error says which message it answers."""
    client = await (await start()).voice()
    await client.send(message["type"], message.get("data"), id="m1")
    error = await client.error(code)
    assert error["id"] == "m1"
    assert error["data"]["message"]
    if isinstance(message.get("data", {}).get("sequence"), int):
        assert error["data"]["sequence"] == message["data"]["sequence"]
    await client.begin("good")


async def test_an_unknown_key_of_audio_is_named(start: Start) -> None:
    """Otherwise a misspelt rate would be taken for the default."""
    client = await (await start()).voice()
    await client.send("voice:start", {"session_id": "s", "audio": {"sampleRate": 8_000}})
    error = await client.error("INVALID_MESSAGE")
    assert error["data"]["message"].startswith("data.audio.sampleRate: is not known here")


async def test_a_codec_that_is_not_decoded_is_refused_at_the_start(start: Start) -> None:
    """And the error says which one to record with."""
    client = await (await start()).voice()
    audio = {"encoding": "audio/webm;codecs=pcm"}
    await client.send("voice:start", {"session_id": "s", "audio": audio})
    error = await client.error("INVALID_MESSAGE")
    assert "codecs=pcm is not decoded in this container: use opus" in error["data"]["message"]


async def test_what_is_no_json_is_an_invalid_message(start: Start) -> None:
    """A binary frame is one, too."""
    client = await (await start()).voice()
    await client.ws.send_str("{not json")
    await client.error("INVALID_MESSAGE")
    await client.ws.send_bytes(b"\x00\x01")
    await client.error("INVALID_MESSAGE")
    await client.begin("good")


async def test_invalid_audio_names_its_sequence_and_may_be_sent_again(start: Start) -> None:
    """Bad base64 and a wrong length, once repaired, leave nothing missing."""
    client = await (await start()).voice()
    await client.begin("s1", order="off")
    chunks = pieces(recording("one_item"), 500)
    await client.chunk(1, chunks[0])
    await client.send("voice:audio", {"audio": "@@@@", "sequence": 2}, id="bad-1")
    error = await client.error("INVALID_AUDIO")
    assert (error["id"], error["data"]["sequence"]) == ("bad-1", 2)
    await client.chunk(2, chunks[1][:-1], id="bad-2")
    error = await client.error("INVALID_AUDIO")
    assert (error["id"], error["data"]["sequence"]) == ("bad-2", 2)
    await client.chunks(chunks[1:], first=2)
    answer = await client.end()
    assert answer["audio_ms"] == sidecar("one_item")["audio"]["duration_ms"]
    assert wer(sidecar("one_item")["text"], text_of(client.events)) <= 0.15


IN_EFFECT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"encoding": "g711_ulaw"}, {"encoding": "mulaw", "sample_rate": 8_000, "channels": 1}),
    (
        {"encoding": "LINEAR16", "sample_rate": 48_000, "channels": 2},
        {"encoding": "pcm_s16le", "sample_rate": 48_000, "channels": 2},
    ),
    ({"encoding": "audio/webm;codecs=opus"}, {"encoding": "webm_opus"}),
    ({"encoding": "audio/mp4"}, {"encoding": "fmp4"}),
    ({"encoding": "opus"}, {"encoding": "opus"}),
]


async def test_started_repeats_the_audio_in_effect(start: Start) -> None:
    """In our own names, so that a client sees how its bytes will be read."""
    client = await (await start()).voice()
    for number, (audio, in_effect) in enumerate(IN_EFFECT):
        started = await client.begin(f"s{number}", order="off", audio=audio)
        assert started["audio"] == in_effect
        await client.end()
    assert_documented(client.events[1:])


async def test_a_resumed_session_repeats_its_own_audio(start: Start) -> None:
    """What the second `voice:start` says of it does not count any more."""
    server = await start()
    client = await server.voice()
    await client.begin("s1", audio={"encoding": "alaw", "sample_rate": 8_000})
    again = await (await server.voice()).begin("s1", resume=True)
    assert again["audio"] == {"encoding": "alaw", "sample_rate": 8_000, "channels": 1}


async def test_a_wrong_declaration_is_told_by_the_first_chunk(start: Start) -> None:
    """Nothing of it is heard as noise, and the error says what to declare."""
    client = await (await start()).voice()
    await client.begin("s1", order="off")
    data = written(recording("one_item"), "webm_opus")
    await client.chunks(data[i : i + 4_000] for i in range(0, 12_000, 4_000))
    for sequence in (1, 2, 3):
        error = (await client.error("INVALID_AUDIO"))["data"]
        assert error["sequence"] == sequence
        assert error["message"] == (
            "audio is WebM, not pcm_s16le; declare webm_opus; start a new session"
        )
    await client.chunks(pieces(recording("one_item"), 500))
    await client.end()
    assert wer(sidecar("one_item")["text"], text_of(client.events)) <= 0.15


async def test_a_telephone_declared_as_nothing_is_told_so(start: Start) -> None:
    """Its bytes are samples of half the width, which the first words show."""
    client = await (await start()).voice()
    await client.begin("s1", order="off")
    speech, _ = soundfile.read(AUDIO / "mulaw_8khz.wav", dtype="float32")
    raw = io.BytesIO()
    soundfile.write(raw, speech, 8_000, subtype="ULAW", format="RAW")
    data = raw.getvalue()
    await client.chunks(data[i : i + 800] for i in range(0, len(data) - 800, 800))
    error = (await client.error("INVALID_AUDIO"))["data"]
    assert "audio is mulaw, not pcm_s16le; declare audio.encoding mulaw" in error["message"]


async def test_keyterms_are_listened_for(start: Start) -> None:
    """A name that the recogniser would write otherwise; those without room are a warning."""
    client = await (await start()).voice()
    said = next(u for u in sidecar("three_minutes")["utterances"] if "root beer" in u["text"])
    audio = recording("three_minutes")[16 * (said["start_ms"] - 400) : 16 * (said["end_ms"] + 400)]
    without = list(await client.stream(audio, "s1", order="off"))
    client.events.clear()
    await client.stream(audio, "s2", order="off", keyterms=["root beer", *["x" * 65] * 60])
    assert "root beer" not in text_of(without).lower()
    assert "root beer" in text_of(client.events).lower()
    [warning] = client.events[0]["data"]["warnings"]
    assert warning.startswith("keyterms: 60 left out")


async def test_finalize_ends_the_utterance_as_a_pause_does(start: Start) -> None:
    """The key of a hand-held microphone is released; the final answers, and the guest goes on."""
    client = await (await start(hangover_ms=20_000, finished_hangover_ms=20_000)).voice()
    await client.begin("s1", order="off")
    chunks = pieces(recording("one_item"), 500)
    await client.chunks(chunks)
    await client.send("voice:finalize", {"session_id": "s1"}, id="f1")
    final = await client.until("voice:transcript", lambda e: e["data"]["is_final"])
    assert final["id"] == "f1"
    assert wer(sidecar("one_item")["text"], final["data"]["text"]) <= 0.15
    await client.chunks(chunks, first=len(chunks) + 1)
    await client.end()
    assert [f["utterance"] for f in finals(client.events)] == [1, 2]
    assert_documented(client.events[1:])


async def test_finalize_is_answered_though_nobody_has_spoken(start: Start) -> None:
    """A client that waits for the answer does not wait for ever."""
    client = await (await start()).voice()
    await client.begin("s1", order="off")
    await client.send("voice:finalize", {"session_id": "s1"}, id="f1")
    answer = await client.expect("voice:finalize")
    assert (answer["id"], answer["data"]) == ("f1", {"session_id": "s1", "utterances": 0})


async def test_a_session_ends_though_its_audio_is_at_the_limit(start: Start) -> None:
    """1,100 small chunks, 100 of which are refused, and then `voice:end`."""
    client = await (await start()).voice()
    await client.begin("s1", order="off")
    chunk = base64.b64encode(bytes(640)).decode()
    for sequence in range(1, 1_101):
        await client.send("voice:audio", {"audio": chunk, "sequence": sequence})
    await client.send("voice:finalize", {"session_id": "s1"}, id="f1")
    await client.until("voice:finalize", lambda e: e.get("id") == "f1")
    answer = await client.end()
    assert 20_000 <= answer["audio_ms"] <= 22_000


async def test_more_than_a_thousand_voice_messages_a_minute_are_refused(start: Start) -> None:
    """`RATE_LIMITED` names the time to wait; other messages have their own allowance."""
    server = await start(voice_per_minute=20)
    client = await server.voice()
    await client.begin("s1")
    chunk = base64.b64encode(bytes(320)).decode()
    for sequence in range(1, 23):
        await client.send("voice:audio", {"audio": chunk, "sequence": sequence}, id=sequence)
    error = await client.error("RATE_LIMITED")
    assert error["id"] == error["data"]["sequence"] == 20
    assert error["data"]["retry_after_ms"] > 0
    assert "put 3000 ms of audio or more into one message" in error["data"]["message"]
    for _ in range(2):
        await client.error("RATE_LIMITED")
    await client.silent()


async def test_a_message_of_64_kb_is_accepted_and_a_larger_one_closes(start: Start) -> None:
    """65,536 bytes inclusive; beyond it 1009."""
    client = await (await start()).voice()
    await client.begin("s1")
    frame = '{"type":"voice:audio","data":{"audio":"%s","sequence":1}}'
    room = 65_536 - len(frame) + 2
    audio = "A" * (room - room % 8)
    text = (frame % audio) + " " * (room % 8)
    assert len(text) == 65_536
    await client.ws.send_str(text)
    await client.silent()
    await client.ws.send_str(text + " ")
    assert await client.close_code() == 1009
    error = client.events[-1]["data"]["message"]
    assert error.endswith("one chunk has room for 1.5 s of pcm_s16le at 16000 Hz")


ABOUT_PROMPTS = {
    "voice:said": {"say_id": "1"},
    "voice:interrupted": {"say_id": "1", "at_ms": 300},
}
TAPS = {
    "voice:answer": {"session_id": "s1", "text": "a cheeseburger"},
    "voice:quantity": {"session_id": "s1", "item_id": "1", "quantity": 2},
    "voice:call_staff": {"session_id": "s1"},
}


async def test_what_is_said_about_prompts_is_never_answered(start: Start) -> None:
    """Also for a prompt that is over, or whose session is."""
    client = await (await start()).voice()
    for data in (*ABOUT_PROMPTS.items(), *ABOUT_PROMPTS.items()):
        await client.send(*data)
    await client.silent()
    await client.begin("s1", speak="text")
    await client.expect("voice:say")
    for data in ABOUT_PROMPTS.items():
        await client.send(*data)
    await client.silent()


async def test_taps_are_answered_by_the_order(start: Start) -> None:
    """And by an error without a session."""
    client = await (await start()).voice()
    for tap in TAPS.items():
        await client.send(*tap)
        await client.error("SESSION_NOT_FOUND")
    await client.begin("s1")
    for tap in TAPS.items():
        await client.send(*tap)
        order = await client.until("voice:order")
    assert order["data"]["status"] == "needs_staff"
    assert [i["quantity"] for i in order["data"]["order"]["items"]] == [2]


def test_all_client_messages_of_the_document_are_covered_here() -> None:
    """A new message needs a test."""
    heard = {"voice:start", "voice:audio", "voice:finalize", "voice:end"}
    assert heard | {*ABOUT_PROMPTS, *TAPS} == VOICE_TYPES
