"""Encodings, disorder, losses and endings, over a real socket with the real model."""

from __future__ import annotations

import base64
import io
import random
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from support.containers import FORMATS as CONTAINERS
from support.containers import written
from support.paths import AUDIO
from support.recordings import Event, finals, pieces, recording, sidecar, silence, text_of, wer
from support.voice_server import Start, VoiceClient

from order_events.auth.tokens import Role
from voice_service.commands.pacing import pcm


def resampled(name: str, rate: int) -> Any:
    return soxr.resample(recording(name), 16_000, rate)


def raw(samples: Any, subtype: str, rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype=subtype, format="RAW", endian="LITTLE")
    return file.getvalue()


def encoded(name: str, audio: dict[str, Any]) -> bytes:
    encoding, rate = audio["encoding"], audio.get("sample_rate", 48_000)
    if encoding in CONTAINERS:
        return written(recording(name), encoding)
    samples = resampled(name, rate)
    if audio.get("channels") == 2:
        # One channel carries the voice, the other nothing: they are averaged.
        samples = np.stack([samples, np.zeros_like(samples)], axis=1)
    subtypes = {"pcm_s16le": "PCM_16", "pcm_f32le": "FLOAT", "mulaw": "ULAW", "alaw": "ALAW"}
    return raw(samples, subtypes[encoding], rate)


FORMATS: list[tuple[str, dict[str, Any]]] = [
    ("telephone", {"encoding": "mulaw", "sample_rate": 8_000, "channels": 1}),
    ("telephone abroad", {"encoding": "alaw", "sample_rate": 8_000, "channels": 1}),
    ("browser floats", {"encoding": "pcm_f32le", "sample_rate": 48_000, "channels": 2}),
    ("cd", {"encoding": "pcm_s16le", "sample_rate": 44_100, "channels": 1}),
    ("chrome", {"encoding": "webm_opus"}),
    ("firefox", {"encoding": "ogg_opus"}),
    ("safari", {"encoding": "fmp4_aac"}),
    ("safari with opus", {"encoding": "fmp4_opus"}),
]


@pytest.mark.parametrize("audio", [f[1] for f in FORMATS], ids=[f[0] for f in FORMATS])
async def test_every_encoding_is_understood(start: Start, audio: dict[str, Any]) -> None:
    """The words are the same whatever the encoding, and so is the length of the audio."""
    client = await (await start()).voice()
    payload = encoded("one_item", audio)
    await client.begin("s1", order="off", audio=audio)
    step = max(8, len(payload) // 40 // 8 * 8)
    await client.chunks(payload[i : i + step] for i in range(0, len(payload), step))
    answer = await client.end()
    assert wer(sidecar("one_item")["text"], text_of(client.events)) <= 0.15
    duration = sidecar("one_item")["audio"]["duration_ms"]
    assert answer["audio_ms"] == pytest.approx(duration, abs=45)
    assert not [e for e in client.events if e["type"] == "error"]


async def test_the_telephone_fixture_as_it_is_on_the_wire(start: Start) -> None:
    """8 kHz mu-law bytes from the file itself, not from an encoder of ours."""
    data, rate = soundfile.read(AUDIO / "mulaw_8khz.wav", dtype="int16")
    payload = raw(data, "ULAW", rate)
    client = await (await start()).voice()
    await client.begin("s1", audio={"encoding": "mulaw", "sample_rate": 8_000, "channels": 1})
    await client.chunks(payload[i : i + 800] for i in range(0, len(payload), 800))
    await client.end()
    assert wer(sidecar("mulaw_8khz")["text"], text_of(client.events)) <= 0.15


async def test_a_narrow_microphone_is_told_once_and_marked(start: Start) -> None:
    """8 kHz declared as 16: the words are the same, but whoever listens should know."""
    server = await start()
    client = await server.voice()
    samples = np.tile(recording("telephone"), 2)
    await client.stream(samples, "s1")
    [warning] = [e["data"] for e in client.events if e["type"] == "voice:warning"]
    assert warning["code"] == "narrow_band"
    assert finals(client.events)[-1]["narrow_band"] is True
    headers = {"Authorization": f"Bearer {server.token(Role.MANAGER, 'boss')}"}
    async with server.http.get(server.url + "/v1/sessions/s1/audit", headers=headers) as answer:
        entries = (await answer.json())["entries"]
    said = [entry["data"] for entry in entries if entry["kind"] == "utterance"]
    assert said[-1]["narrow_band"] is True


async def test_a_telephone_declared_as_one_is_no_surprise(start: Start) -> None:
    """Nobody needs to be told."""
    client = await (await start()).voice()
    half = np.tile(resampled("telephone", 8_000), 2)
    await client.begin("s1", order="off", audio={"encoding": "mulaw", "sample_rate": 8_000})
    payload = raw(half, "ULAW", 8_000)
    await client.chunks(payload[i : i + 4_000] for i in range(0, len(payload), 4_000))
    await client.end()
    assert not [e for e in client.events if e["type"] in ("voice:warning", "error")]


async def test_a_broken_container_is_an_error_and_still_ends_properly(start: Start) -> None:
    """The guest gets an answer, and the socket serves the next one."""
    client = await (await start()).voice()
    await client.begin("s1", audio={"encoding": "webm_opus"})
    for sequence in range(1, 4):
        await client.chunk(sequence, b"this is no matroska file" * 100)
    assert (await client.end())["utterances"] == 0
    errors = [e["data"]["code"] for e in client.events if e["type"] == "error"]
    assert set(errors) == {"INVALID_AUDIO"}
    assert finals(await client.stream(recording("one_item"), "s2"))


async def heard(start: Start, chunks: list[tuple[int, bytes]], **settings: Any) -> VoiceClient:
    """Send a session of numbered chunks, without an order."""
    client = await (await start(**settings)).voice()
    await client.begin("s1", order="off")
    for sequence, payload in chunks:
        await client.chunk(sequence, payload)
    await client.end()
    return client


async def test_shuffled_and_doubled_chunks_give_the_same_words(start: Start) -> None:
    """Shuffled within the window, with every third chunk doubled: not a word more or less."""
    chunks = list(enumerate(pieces(recording("correct_size"), 100), 1))
    rng = random.Random(5)
    mixed = sorted(chunks, key=lambda chunk: chunk[0] + rng.uniform(0, 9))
    mixed = [chunk for chunk in mixed for _ in range(2 if chunk[0] % 3 == 0 else 1)]
    client = await heard(start, mixed)
    assert [n for n, _ in mixed] != sorted(n for n, _ in mixed)
    assert wer(sidecar("correct_size")["text"], text_of(client.events)) <= 0.1
    assert not [e for e in client.events if e["type"] == "error"]
    duration = sidecar("correct_size")["audio"]["duration_ms"]
    assert client.events[-1]["data"]["audio_ms"] == duration


async def test_lost_chunks_are_bridged_reported_once_and_cost_only_themselves(
    start: Start,
) -> None:
    """Lost in a pause, they cost no word, and later times stay correct."""
    chunks = list(enumerate(pieces(recording("correct_size"), 100), 1))
    first, second = sidecar("correct_size")["utterances"][:2]
    lost = {second["start_ms"] // 100 - 7, second["start_ms"] // 100 - 6}
    assert min(lost) * 100 > first["end_ms"] + 300
    client = await heard(start, [c for c in chunks if c[0] not in lost], gap_patience_s=0.2)
    errors = [e["data"] for e in client.events if e["type"] == "error"]
    assert [e["code"] for e in errors] == ["AUDIO_GAP"]
    assert errors[0]["sequence"] == min(lost)
    assert wer(sidecar("correct_size")["text"], text_of(client.events)) <= 0.1
    final = finals(client.events)[1]
    assert abs(final["start_ms"] - second["start_ms"]) < 350


async def test_a_gap_is_given_up_while_the_stream_goes_on(start: Start) -> None:
    """Words after a gap do not wait for the end of the stream."""
    client = await (await start(gap_patience_s=0.2)).voice()
    await client.begin("s1", order="off")
    for sequence, payload in enumerate(pieces(recording("one_item"), 100), 1):
        if sequence != 2:
            await client.chunk(sequence, payload)
    error = await client.error("AUDIO_GAP")
    assert error["data"]["sequence"] == 2
    await client.until("voice:transcript", lambda e: e["data"]["is_final"])


async def test_one_lost_chunk_in_thirty_costs_few_words(start: Start) -> None:
    """A poor network does not make an order unintelligible."""
    chunks = list(enumerate(pieces(recording("modifiers"), 40), 1))
    kept = [c for c in chunks if c[0] % 30 != 0]
    client = await heard(start, kept, gap_patience_s=0.2)
    gaps = [e for e in client.events if e["type"] == "error"]
    assert len(gaps) == len(chunks) // 30
    assert wer(sidecar("modifiers")["text"], text_of(client.events)) <= 0.35


async def test_the_last_words_are_heard_when_the_stream_ends_without_silence(
    start: Start,
) -> None:
    """The recording stops with the last sound; the order has the last item."""
    client = await (await start()).voice()
    await client.stream(recording("cut_off_end"), "s1")
    assert wer(sidecar("cut_off_end")["text"], text_of(client.events)) <= 0.1
    assert "cookies" in text_of(client.events).lower()


async def test_an_utterance_that_is_broken_off_is_heard_up_to_there(start: Start) -> None:
    """`voice:end` comes in the middle of a sentence."""
    client = await (await start()).voice()
    spoken = sidecar("modifiers")["utterances"][0]
    middle = (spoken["start_ms"] + spoken["end_ms"]) // 2
    await client.stream(recording("modifiers")[: 16 * middle], "s1", order="off")
    heard_words = text_of(client.events).lower().split()
    assert 3 <= len(heard_words) < len(spoken["text"].split())


@pytest.mark.parametrize("name", ["silence", "noise_kitchen", "noise_traffic"])
async def test_silence_and_noise_give_no_transcript_and_no_order(start: Start, name: str) -> None:
    """Not even a partial: an invented item would be cooked."""
    server = await start()
    client = await server.voice()
    await client.begin("s1")
    await client.play(recording(name), speed=8)
    await client.end()
    assert [e for e in client.events if e["type"] == "voice:transcript"] == []
    assert await server.orders() == []


async def test_a_session_without_audio_is_answered(start: Start) -> None:
    """The guest has driven on."""
    client = await (await start()).voice()
    await client.begin("s1")
    answer = await client.end()
    assert (answer["audio_ms"], answer["utterances"], answer["order_id"]) == (0, 0, None)


async def test_a_stalled_microphone_still_gets_its_final(start: Start) -> None:
    """Neither silence, nor more audio, nor `voice:end` comes."""
    client = await (await start(stall_s=0.3)).voice()
    await client.begin("s1", order="off")
    await client.chunks(pieces(recording("cut_off_end"), 500))
    final = await client.until("voice:transcript", lambda e: e["data"]["is_final"])
    assert "cookies" in final["data"]["text"].lower()


async def test_an_idle_session_is_ended_by_the_server(start: Start) -> None:
    """It does not hold a place for ever, and the client gets the answer as if it had ended it."""
    client = await (await start(idle_s=0.3)).voice()
    await client.begin("s1")
    answer = await client.until("voice:end")
    assert answer["data"]["audio_ms"] == 0
    await client.begin("s2")


def overload(events: list[Event]) -> list[Event]:
    return [e["data"] for e in events if e["type"] == "error"]


async def test_more_audio_than_can_be_recognised_is_refused_and_nothing_of_it_lost(
    start: Start,
) -> None:
    """The client sends again what was refused, and every word arrives once."""
    text = " ".join([sidecar("one_item")["text"]] * 6)
    spoken = np.concatenate([recording("one_item"), silence(0.2)])
    chunks = dict(enumerate(pieces(np.tile(spoken, 6), 1_000), 1))
    client = await (await start(max_backlog_s=3)).voice()
    await client.begin("s1", order="off")
    waiting = sorted(chunks)
    refusals = 0
    while waiting:
        for sequence in waiting:
            await client.chunk(sequence, chunks[sequence])
        seen = len(client.events)
        await client.send("ping", id="sent")
        await client.until("pong")
        errors = overload(client.events[seen:])
        assert {e["code"] for e in errors} <= {"RATE_LIMITED"}
        waiting = sorted(e["sequence"] for e in errors)
        refusals += len(waiting)
        if waiting:
            await client.until("voice:transcript", lambda e: e["data"]["is_final"])
    answer = await client.end()
    assert refusals
    assert answer["audio_ms"] == pytest.approx(6 * 4_000, abs=1)
    assert wer(text, text_of(client.events)) <= 0.1


async def test_a_sequence_from_the_far_future_does_not_stop_the_service(start: Start) -> None:
    """The client chooses the number, but we would pay for it."""
    client = await (await start()).voice()
    await client.begin("s1", order="off")
    payload = base64.b64encode(pcm(silence(0.5))).decode()
    for sequence in (1, 2**50):
        await client.send("voice:audio", {"audio": payload, "sequence": sequence})
    error = await client.error("INVALID_MESSAGE")
    assert error["data"]["sequence"] == 2**50
    assert (await client.end())["audio_ms"] == 500
