"""Several guests and restaurants, admission, and shutdown."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.recordings import Event, essence, finals, pieces, recording, sidecar, text_of, wer
from support.voice_server import TIMEOUT, Client, Server, Start, VoiceClient

from order_events.auth.tokens import Role
from voice_service.app import CAPACITY, load_recognizer
from voice_service.asr.calibration import Calibration
from voice_service.asr.recognizer import Recognizer
from voice_service.commands.transcribe import transcribe_files
from voice_service.models.manifest import load_manifest
from voice_service.models.registry import default_models_dir, resolve
from voice_service.server import DEMO_RESTAURANT
from voice_service.settings import VoiceSettings

EIGHT = [
    "one_item",
    "sizes",
    "modifiers",
    "quantities",
    "nuggets_and_sauces",
    "fast_talker",
    "slow_talker",
    "honest_repeats",
]


async def ordered(client: VoiceClient, name: str, speed: float = 4, **data: Any) -> Event:
    """Stream a recording as its own session; return the answer to `voice:end`."""
    await client.begin(name, **data)
    await client.play(recording(name), speed)
    return await client.end()


async def test_a_session_is_told_calibrated_confidences(
    start: Start, recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come from the loaded model, for texts and words; the words stay the same."""
    measured = load_manifest().model["tiny.en"].calibration
    assert recognizer.calibration == measured
    monkeypatch.setattr(recognizer, "calibration", Calibration(offset=-10))
    microphone = await (await start()).voice()
    events = await microphone.stream(recording("one_item"), "s")
    [final] = finals(events)
    assert final["confidence"] < 0.1
    assert all(word["confidence"] < 0.5 for word in final["words"])
    assert wer(sidecar("one_item")["text"], text_of(events)) <= 0.15


async def test_a_model_is_asked_only_for_languages_that_it_has_learnt(tmp_path: Path) -> None:
    """A distilled model has tokens for a hundred languages but hears one; the rest is nonsense."""
    english = resolve("tiny.en", default_models_dir({}))
    recognizer = load_recognizer(VoiceSettings(), replace(english, languages=("es",)))
    async with Server(recognizer, tmp_path, {}) as server:
        client = await server.voice()
        await client.send("voice:start", {"session_id": "s1", "language": "en-US"})
        refused = await client.error("UNSUPPORTED_LANGUAGE")
        assert refused["data"]["message"].endswith("it knows: es")
        await client.begin("s1", language="es-MX")
    options = argparse.Namespace(language="en-US", files=[], jsonl=False)
    complaints: list[str] = []
    assert transcribe_files(options, VoiceSettings(), recognizer, complaints.append) == 1
    assert complaints == ["the model does not know en-US"]


async def metric(server: Server, name: str) -> float:
    """Return the value in `/metrics` of a name without labels."""
    async with server.http.get(server.url + "/metrics") as response:
        lines = (await response.text()).splitlines()
    [value] = [line.split()[1] for line in lines if line.startswith(f"{name} ")]
    return float(value)


async def until_confirmed(screen: Client) -> list[Event]:
    """Return everything a screen receives until an order is confirmed."""
    await screen.until("order:status", lambda e: e["data"]["status"] == "confirmed")
    return screen.events


async def test_an_order_reaches_the_screen_from_its_first_item_to_confirmed(start: Start) -> None:
    """`order:created`, updates, `order:status`: the documented client never subscribes."""
    server = await start()
    screen = await server.screen()
    microphone = await server.voice()
    answer = await ordered(microphone, "correct_quantity", lane="lane-7", table_id="t-1")
    events = [e for e in await until_confirmed(screen) if e["type"].startswith("order:")]
    assert events[0]["type"] == "order:created"
    created = events[0]["data"]["order"]
    assert created["status"] == "pending"
    assert created["id"] == answer["order_id"]
    assert created["source"] == {"session_id": "correct_quantity", "lane": "lane-7"}
    assert created["table_id"] == "t-1"
    orders = [e["data"]["order"] for e in events if "order" in e["data"]]
    versions = [order["version"] for order in orders]
    assert versions == sorted(versions)
    assert {order["id"] for order in orders} == {created["id"]}
    assert any(e["type"] == "order:updated" for e in events)
    assert events[-1]["data"] == {
        **events[-1]["data"],
        "order_id": created["id"],
        "status": "confirmed",
        "previous_status": "pending",
    }
    [stored] = await server.orders()
    assert stored["status"] == "confirmed"
    assert essence(stored["items"]) == essence(sidecar("correct_quantity")["order"])
    assert stored["subtotal"] == sum(item["subtotal"] for item in stored["items"])
    assert stored["total"] == stored["subtotal"] + stored["tax"]


async def test_staff_who_subscribe_see_transcripts_live(start: Start) -> None:
    """Partials at most five a second, then the final, tagged with session and lane."""
    server = await start()
    subscribed = await server.screen("voice:transcript", "voice:order")
    by_lane = await server.screen()
    await by_lane.send("subscribe", events=["voice:*"], filters={"lane": "lane-2"})
    await by_lane.expect("subscribed")
    unsubscribed = await server.screen()
    microphone = await server.voice()
    await ordered(microphone, "one_item", 2, lane="lane-1")
    last = await subscribed.until("voice:order", lambda e: e["data"]["status"] == "confirmed")
    assert last["restaurant_id"] == DEMO_RESTAURANT
    transcripts = [e["data"] for e in subscribed.events if e["type"] == "voice:transcript"]
    assert any(not t["is_final"] for t in transcripts)
    own = finals(microphone.events)
    told = [t for t in transcripts if t["is_final"]]
    assert [t | o for t, o in zip(told, own, strict=True)] == told
    assert all(t["session_id"] == "one_item" for t in transcripts)
    await by_lane.silent()
    await unsubscribed.until("order:created")
    assert not [e for e in unsubscribed.events if e["type"].startswith("voice:")]


async def test_two_restaurants_do_not_see_each_other(start: Start) -> None:
    """With the same session id at the same time, nothing is mixed up."""
    server = await start()
    await server.give_menu("other")
    names = {DEMO_RESTAURANT: "one_item", "other": "sizes"}
    screens = {r: await server.screen("*", restaurant=r) for r in names}
    microphones = {r: await server.voice(restaurant=r) for r in names}

    async def speak(restaurant: str, name: str) -> None:
        microphone = microphones[restaurant]
        await microphone.begin("same-id")
        await microphone.play(recording(name), 4)
        await microphone.end()

    await asyncio.gather(*(speak(r, name) for r, name in names.items()))
    for restaurant, name in names.items():
        events = await until_confirmed(screens[restaurant])
        heard = [e for e in events if "restaurant_id" in e]
        assert {e["restaurant_id"] for e in heard} == {restaurant}
        assert wer(sidecar(name)["text"], text_of(microphones[restaurant].events)) <= 0.15
        [order] = await server.orders(restaurant)
        assert essence(order["items"]) == essence(sidecar(name)["order"])
        transcripts = [e["data"] for e in events if e["type"] == "voice:transcript"]
        own = [e["data"] for e in microphones[restaurant].events if e["type"] == "voice:transcript"]
        assert {t["text"] for t in transcripts} <= {t["text"] for t in own}


async def test_a_microphone_may_not_watch(start: Start) -> None:
    """The root socket is for staff; a stolen device token shows nothing."""
    server = await start()
    headers = {"Authorization": f"Bearer {server.token(Role.DEVICE)}"}
    client = Client(await server.http.ws_connect(server.url, headers=headers))
    await client.error("FORBIDDEN")
    assert await client.close_code() == 1008


async def test_eight_sessions_at_once_are_all_understood(start: Start) -> None:
    """One model, eight guests, twice real time: each gets exactly its own words."""
    server = await start(max_sessions=8)
    microphones = [await server.voice(user=f"lane-{n}") for n in range(8)]
    await asyncio.gather(*(ordered(m, name, 2) for m, name in zip(microphones, EIGHT, strict=True)))
    for microphone, name in zip(microphones, EIGHT, strict=True):
        assert wer(sidecar(name)["text"], text_of(microphone.events)) <= 0.2, name
        assert not [e for e in microphone.events if e["type"] == "error"]
        assert {e["data"]["session_id"] for e in finals_events(microphone)} == {name}
    orders = {o["source"]["session_id"]: o for o in await server.orders()}
    assert set(orders) == set(EIGHT)


def finals_events(client: VoiceClient) -> list[Event]:
    return [e for e in client.events if e["type"] == "voice:transcript"]


async def test_when_the_house_is_full_the_next_guest_is_sent_away_and_the_others_stay(
    start: Start,
) -> None:
    """`OVERLOADED` with the time to wait, then 1013; the running session gets its final."""
    server = await start(max_sessions=1)
    running = await server.voice()
    await running.begin("s1")
    chunks = pieces(recording("one_item"), 500)
    await running.chunks(chunks[:3])
    late = await server.voice(user="lane-2")
    await late.send("voice:start", {"session_id": "s2", "language": "en-US"}, id=9)
    error = await late.error("OVERLOADED")
    assert error["id"] == 9
    assert error["data"]["retry_after_ms"] > 0
    assert await late.close_code() == 1013
    await running.chunks(chunks[3:], first=4)
    await running.end()
    assert wer(sidecar("one_item")["text"], text_of(running.events)) <= 0.15
    again = await server.voice(user="lane-2")
    await again.begin("s2")


async def test_the_house_is_full_when_the_machine_is(start: Start) -> None:
    """Without an operator's limit, the cost of decodes decides; a metric shows the limit."""
    server = await start(max_sessions=0)
    capacity = await metric(server, "voice_sessions_capacity")
    assert capacity >= 1
    guests = []
    for n in range(4 * (int(capacity) + 1) + 1):
        guests.append(await server.voice(user=f"lane-{n}"))
        await guests[n].send("voice:start", {"session_id": f"s{n}", "language": "en-US"})
        event = await guests[n].receive()
        if event["type"] == "error":
            break
        assert event["type"] == "voice:started"
    assert event["data"]["code"] == "OVERLOADED"
    assert len(guests) > capacity


async def test_only_guests_who_are_here_are_counted(start: Start) -> None:
    """Ended and absent guests cost nothing; counting them would make room for others."""
    server = await start(max_sessions=0)
    guests = [await server.voice(user=f"lane-{n}") for n in range(4)]
    for n, guest in enumerate(guests):
        await guest.begin(f"s{n}", order="off")
    await guests[0].end()
    assert await metric(server, "voice_sessions") == 3
    guests[1].abort()
    # Late as finals are now, there is room for those who are counted and nobody else.
    server.app[CAPACITY].waited(60.0, asyncio.get_running_loop().time())
    async with asyncio.timeout(TIMEOUT):
        while await metric(server, "voice_sessions_capacity") != 2:
            pass
    assert await metric(server, "voice_sessions") == 3
    again = await server.voice(user="lane-1")
    await again.begin("s1", resume=True)
    assert await metric(server, "voice_sessions_capacity") == 3


async def test_a_guest_who_is_here_goes_before_one_who_may_come_back(start: Start) -> None:
    """In a full house, a lost session keeps its place only until another guest needs it."""
    server = await start(max_sessions=1)
    lost = await server.voice()
    await lost.begin("s1")
    lost.abort()
    async with asyncio.timeout(TIMEOUT):
        while True:
            client = await server.voice(user="lane-2")
            await client.send("voice:start", {"session_id": "s2", "language": "en-US"})
            event = await client.receive()
            if event["type"] == "voice:started":
                break
            assert event["data"]["code"] == "OVERLOADED"
            assert await client.close_code() == 1013


async def test_one_guest_who_comes_sends_one_away(start: Start) -> None:
    """Two may come back and one arrives: the other keeps its place."""
    server = await start(max_sessions=2)
    chunks = pieces(recording("one_item"), 500)
    for name in ("s1", "s2"):
        lost = await server.voice(user=name)
        await lost.begin(name)
        await lost.chunks(chunks[:5])
        await lost.until("voice:speech_started")
        lost.abort()
    async with asyncio.timeout(TIMEOUT):
        while await metric(server, 'order_events_connections{socket="voice"}'):
            pass
    await (await server.voice(user="lane-3")).begin("s3")
    again = await server.voice(user="s2")
    started = await again.begin("s2", resume=True)
    await again.chunks(chunks[5:], first=started["next_sequence"])
    assert (await again.end())["audio_ms"] == sidecar("one_item")["audio"]["duration_ms"]


async def test_one_session_that_floods_does_not_starve_another(start: Start) -> None:
    """One client sends minutes of speech at once, and a guest who speaks is still served."""
    server = await start()
    flood, guest = await server.voice(user="flood"), await server.voice(user="guest")
    await flood.begin("flood", order="off")
    await flood.chunks(pieces(np.tile(recording("demo"), 2), 1_000))
    await ordered(guest, "one_item", 2)
    assert wer(sidecar("one_item")["text"], text_of(guest.events)) <= 0.15
    await flood.end()
    expected = " ".join([sidecar("demo")["text"]] * 2)
    assert wer(expected, text_of(flood.events)) <= 0.1


async def stopped_in_mid_utterance(server: Server) -> tuple[VoiceClient, int | None]:
    """Stop the server while a guest is speaking; return the client and its close code."""
    client = await server.voice()
    await client.begin("s1")
    spoken = sidecar("quantities")["utterances"][0]
    middle = spoken["start_ms"] + (spoken["end_ms"] - spoken["start_ms"]) * 3 // 4
    await client.chunks(pieces(recording("quantities")[: 16 * middle], 100))
    await client.until("voice:speech_started")
    stopping = asyncio.create_task(server.stop())
    code = await client.close_code()
    async with asyncio.timeout(TIMEOUT):
        await stopping
    return client, code


async def test_shutdown_lets_a_guest_in_mid_utterance_finish(start: Start) -> None:
    """The final comes, then `going_away` with a time, then 1001; the order is on disk."""
    server = await start(shutdown_grace_s=TIMEOUT)  # a busy machine hears the last words late
    client, code = await stopped_in_mid_utterance(server)
    assert code == 1001
    types = [e["type"] for e in client.events]
    assert types[-1] == "going_away"
    assert client.events[-1]["data"]["retry_after_ms"] > 0
    said = finals(client.events)
    assert len(said) == 1
    assert said[0]["text"]
    again = await start()
    [order] = await again.orders()
    told = [e["data"]["order"] for e in client.events if e["type"] == "voice:order"]
    assert order["id"] == told[-1]["id"]
    assert essence(order["items"]) == essence(told[-1]["items"])
    screen = await again.screen()
    await screen.send("subscribe", events=["voice:transcript"], since=position(order, again, 0))
    await screen.expect("subscribed")
    event = await screen.until("voice:transcript")
    assert event["data"] == said[0]


def position(order: Event, server: Server, seq: int) -> Event:
    from order_events.app import EVENTS

    return {"epoch": server.app[EVENTS].hub.head(DEMO_RESTAURANT)[0], "seq": seq}


async def test_shutdown_answers_or_tells_everyone_once(start: Start) -> None:
    """Microphones that speak on are not answered chunk by chunk, and each session has its end."""
    server = await start(shutdown_grace_s=TIMEOUT)  # a busy machine hears the last words late
    clients = [await server.voice(user=f"lane-{n}") for n in range(4)]
    for number, client in enumerate(clients):
        await client.begin(f"s{number}", order="off")
        await client.chunks(pieces(recording("one_item"), 500))
    away = clients.pop()
    away.abort()
    chunk = next(iter(pieces(recording("one_item"), 100)))

    async def speak_on(client: VoiceClient) -> int | None:
        closing = asyncio.create_task(client.close_code())
        with contextlib.suppress(ConnectionError):
            for sequence in range(100, 10_000):
                if closing.done():
                    break
                await client.chunk(sequence, chunk)
                await asyncio.sleep(0.01)
        return await closing

    stopping = asyncio.create_task(server.stop())
    codes = await asyncio.gather(*map(speak_on, clients))
    async with asyncio.timeout(TIMEOUT):
        await stopping
    assert codes == [1001] * len(clients)
    for client in clients:
        types = [event["type"] for event in client.events]
        assert (types.count("error"), types.count("going_away")) == (0, 1)
        assert len(finals(client.events)) == 1
    again = await start()
    headers = {"Authorization": f"Bearer {again.token(Role.MANAGER)}"}
    async with again.http.get(f"{again.url}/v1/sessions", headers=headers) as response:
        sessions = (await response.json())["sessions"]
    assert [bool(session["ended_at"]) for session in sessions] == [True] * 4


async def test_shutdown_leaves_nothing_of_a_session_behind(start: Start) -> None:
    """No task, timer or thread may keep the process from ending."""
    server = await start()
    await stopped_in_mid_utterance(server)
    left = {task.get_name() for task in asyncio.all_tasks() if not task.done()}
    assert not {name for name in left if name.startswith(("voice session", "socket"))}


async def test_shutdown_ends_a_session_whose_client_is_away(start: Start) -> None:
    """It was waiting to be resumed; its order is left to a person, not forgotten."""
    server = await start()
    client = await server.voice()
    await client.begin("s1")
    await client.chunks(pieces(recording("one_item"), 500))
    await client.until("voice:order")
    client.abort()
    async with asyncio.timeout(TIMEOUT):
        await server.stop()
    again = await start()
    [order] = await again.orders()
    assert essence(order["items"]) == essence(sidecar("one_item")["order"])


async def test_the_same_session_after_a_restart_gives_the_same_order(start: Start) -> None:
    """The client streams the whole session again: no second cheeseburger."""
    server = await start()
    first = await server.voice()
    await first.stream(recording("one_item"), "guest-1")
    await first.ws.close()
    await server.stop()
    again = await start()
    second = await again.voice()
    await second.stream(recording("one_item"), "guest-1")
    assert second.events[-1]["data"]["order_id"] == first.events[-1]["data"]["order_id"]
    assert len(await again.orders()) == 1


async def test_readiness_and_metrics_know_the_voice_side(start: Start) -> None:
    """Operators see sessions, capacity, finals and decodes."""
    server = await start(max_sessions=3)
    client = await server.voice()
    await client.begin("s1", order="off")
    await client.chunks(pieces(recording("one_item"), 500))
    await client.until("voice:transcript", lambda e: e["data"]["is_final"])
    token = server.token(Role.MANAGER, "staff")
    headers = {"Authorization": f"Bearer {token}"}
    async with server.http.get(server.url + "/readyz") as response:
        assert response.status == 200
    async with server.http.get(server.url + "/metrics", headers=headers) as response:
        assert response.status == 200
        text = await response.text()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values["voice_sessions"]) == 1
    assert float(values["voice_sessions_capacity"]) == 3
    assert float(values["voice_finals_total"]) == 1
    assert float(values["voice_audio_seconds_total"]) == pytest.approx(3.8, abs=0.3)
    assert float(values['voice_decode_seconds_count{kind="thorough"}']) >= 1
    assert float(values["voice_final_latency_seconds_count"]) == 1


async def test_metrics_count_sessions_down_again(start: Start) -> None:
    """An ended session counts as over although its answer is kept."""
    server = await start()
    client = await server.voice()
    await client.begin("s1")
    assert await metric(server, "voice_sessions") == 1
    await client.end()
    assert await metric(server, "voice_sessions") == 0
