"""The command `demo`: run the service, a microphone that plays a recorded order, and a screen.

The screen is a second client, on the root socket: whatever it prints has gone all the way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from order_events.app import AUTHORITY
from order_events.auth.screen_tokens import ScreenTokens, pairing_url
from order_events.auth.tokens import Role
from order_events.screens.tokens import screen_tokens
from voice_service.asr.model_pair import SpeechRecognizer
from voice_service.audio.recordings import demo_recording, read_audio
from voice_service.client.stream import StreamFailed, VoiceStream
from voice_service.commands.display import describe
from voice_service.commands.pacing import Pace, play
from voice_service.server import DEMO_RESTAURANT, running, until_stopped
from voice_service.settings import VoiceSettings

_TOKEN_TTL = 12 * 3600.0
_LAST_EVENT_TIMEOUT = 10.0
"""Seconds that the screen may lag behind the microphone."""


class Screen:
    """A waiter's screen that follows the order of one session."""

    def __init__(self, start: float) -> None:
        self._start = start
        self.connected = asyncio.Event()
        self.settled = asyncio.Event()
        self.order: dict[str, Any] = {}

    async def watch(self, url: str, token: str, session_id: str) -> None:
        """Print the session's order as it changes, until it is confirmed."""
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http,
            http.ws_connect(url) as socket,
        ):
            subscribe = {"type": "subscribe", "events": ["order:*", "voice:order"]}
            await socket.send_json({**subscribe, "filters": {"session_id": session_id}})
            async for message in socket:
                self._take(json.loads(message.data))

    def _take(self, event: dict[str, Any]) -> None:
        data = event.get("data") or {}
        if event["type"] == "subscribed":
            self.connected.set()
        elif event["type"] in ("order:created", "order:updated"):
            self.order = data["order"]
        elif event["type"] == "order:status":
            self.order["status"] = data["status"]
        if event["type"].startswith("order:") and (line := describe(event)):
            say(self._start, "screen", line)
        if self.order.get("status") == "confirmed":
            self.settled.set()


def say(start: float, who: str, line: str) -> None:
    """Print a line with the seconds since the start and its speaker."""
    seconds = asyncio.get_running_loop().time() - start
    print(f"{seconds:6.2f} s  {who:<10}  {line}", flush=True)


async def run(settings: VoiceSettings, recognizer: SpeechRecognizer, *, stay: bool) -> int:
    """Serve, order and show; return the exit status, 0 if the expected order arrived."""
    recording = demo_recording()
    expected = json.loads(recording.with_suffix(".json").read_text(encoding="utf-8"))
    async with running(settings, recognizer) as (app, address):
        print(f"Serving on {address}; streaming {recording.name} as a microphone would.\n")
        device = app[AUTHORITY].issue(DEMO_RESTAURANT, "lane-1", Role.DEVICE, _TOKEN_TTL)
        staff = app[AUTHORITY].issue(DEMO_RESTAURANT, "waiter-1", Role.MANAGER, _TOKEN_TTL)
        order = await _order(address.replace("http", "ws", 1), device, staff, recording)
        arrived = matches(order, expected["order"])
        print("\nThe expected order arrived." if arrived else "\nThis is not the expected order.")
        if stay:
            _print_hints(address, screen_tokens(settings), settings.data_dir)
            await until_stopped()
        return 0 if arrived else 1


async def _order(address: str, device: str, staff: str, recording: Path) -> dict[str, Any]:
    start = asyncio.get_running_loop().time()

    def on_event(event: dict[str, Any], at: float) -> None:
        if line := describe(event):
            say(start, "microphone", line)

    stream = VoiceStream(
        f"{address}/voice-stream", device, on_event, options={"language": "en-US", "lane": "lane-1"}
    )
    screen = Screen(start)
    watching = asyncio.create_task(screen.watch(address, staff, stream.session_id))
    try:
        await asyncio.wait_for(screen.connected.wait(), _LAST_EVENT_TIMEOUT)
        await stream.run(play(Pace().chunks(read_audio(recording)), start))
        await asyncio.wait_for(screen.settled.wait(), _LAST_EVENT_TIMEOUT)
    except (StreamFailed, TimeoutError) as error:
        print(f"demo: {error or 'no confirmed order arrived in time'}", file=sys.stderr)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    return screen.order


def _print_hints(address: str, tokens: ScreenTokens, data_dir: Path) -> None:
    program, data = sys.argv[0], data_dir.resolve()

    def link(role: Role, name: str, lane: str | None = None) -> str:
        return pairing_url(address, tokens.link(DEMO_RESTAURANT, role, name, _TOKEN_TTL, lane))

    print(
        f"""
Open each of these in a browser of its own (another profile, or a private window); each works once.
Guests and orders   {link(Role.MANAGER, "Counter")}
Kitchen             {link(Role.KITCHEN, "Kitchen")}
Kiosk               {link(Role.DEVICE, "Kiosk", "kiosk-1")}

A token of your own {program} token --data-dir {data} \\
                      --restaurant {DEMO_RESTAURANT} --user me --role manager
Your microphone     {program} mic --url {address.replace("http", "ws", 1)}/voice-stream \\
                      --token TOKEN   (one with --role device)
Ctrl-C stops the service.""",
        flush=True,
    )


def matches(order: Mapping[str, Any], expected: list[dict[str, Any]]) -> bool:
    """Return whether a confirmed order has exactly the expected items, in any order."""
    return order.get("status") == "confirmed" and (
        sorted(map(_essence, order["items"])) == sorted(map(_essence, expected))
    )


def _essence(item: Mapping[str, Any]) -> tuple[Any, ...]:
    modifiers = sorted(
        (m["id"], m.get("negated") or False, m.get("qualifier") or "") for m in item["modifiers"]
    )
    return item["menu_item_id"], item["quantity"], item.get("size") or "", tuple(modifiers)
