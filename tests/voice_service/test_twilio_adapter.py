"""The adapter for Twilio, called as Twilio's documentation says that it calls."""

from __future__ import annotations

import asyncio
import importlib.util
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from support.paths import ROOT
from support.recordings import sidecar, wer
from support.telephony import mulaw, twilio_messages
from support.voice_server import TIMEOUT, Server

SECRET = "12345"
PUBLIC = "https://calls.example"


def _program() -> Any:
    path = ROOT / "clients" / "twilio" / "twilio_adapter.py"
    spec = importlib.util.spec_from_file_location("twilio_adapter", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


program = _program()


class Twilio:
    """Their side: signs what it sends to the adapter at `address`."""

    def __init__(self, http: aiohttp.ClientSession, address: str) -> None:
        self.http = http
        self.address = address

    def signed(self, address: str, **fields: str) -> dict[str, str]:
        """Return the headers of a request to a public address."""
        return {"X-Twilio-Signature": program.signature(SECRET, address, fields)}

    async def stream(self, messages: list[dict[str, Any]]) -> None:
        """Play a stream to its end."""
        headers = self.signed("wss://calls.example/stream")
        async with self.http.ws_connect(f"{self.address}/stream", headers=headers) as socket:
            for message in messages:
                await socket.send_json(message)
            assert (await socket.receive(3 * TIMEOUT)).type is aiohttp.WSMsgType.CLOSE


@pytest.fixture
async def twilio(server: Server) -> AsyncIterator[Twilio]:
    """Twilio, and the adapter between it and the service."""
    adapter = program.Adapter(PUBLIC, server.url, server.token(), SECRET, calls=1)
    runner = web.AppRunner(adapter.app(), shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Twilio(server.http, f"http://127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()


async def test_a_call_becomes_an_order(server: Server, twilio: Twilio) -> None:
    """From its documented messages; marks, keys and messages of new kinds do no harm."""
    messages = twilio_messages(mulaw())
    messages[1]["start"]["customParameters"] = {"lane": "phone-2"}
    messages.insert(3, {"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": "1"}})
    messages.insert(9, {"event": "mark", "mark": {"name": "label"}})
    messages.insert(12, {"event": "hologram"})
    screen = await server.screen("order:created", "voice:transcript")
    async with asyncio.timeout(3 * TIMEOUT):
        await twilio.stream(messages)
        said = []
        while (event := await screen.receive())["type"] != "order:created":
            if event["type"] == "voice:transcript" and event["data"]["is_final"]:
                said.append(event["data"]["text"])
    assert event["data"]["order"]["source"] == {"session_id": "CA123", "lane": "phone-2"}
    assert wer(sidecar("one_item")["text"], " ".join(said)) <= 0.15


async def test_a_call_is_answered_with_the_stream(twilio: Twilio) -> None:
    """As TwiML, with the lane of the number that was called; only if Twilio has signed it."""
    fields = {"CallSid": "CA1", "From": "+15550100", "Digits": ""}
    public, local = (f"{where}/call?lane=2" for where in (PUBLIC, twilio.address))
    headers = twilio.signed(public, **fields)
    async with twilio.http.post(local, data=fields, headers=headers) as answer:
        stream = ET.fromstring(await answer.text()).find("Connect/Stream")
    assert stream is not None
    assert stream.get("url") == "wss://calls.example/stream"
    assert [p.attrib for p in stream] == [{"name": "lane", "value": "2"}]
    for changed in ({**fields, "From": "+15550199"}, {}):
        async with twilio.http.post(local, data=changed, headers=headers) as answer:
            assert answer.status == 403


async def test_strangers_and_calls_beyond_the_limit_are_refused(twilio: Twilio) -> None:
    """Before a socket is open."""
    address = f"{twilio.address}/stream"
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await twilio.http.ws_connect(address, headers={"X-Twilio-Signature": "no"})
    headers = twilio.signed("wss://calls.example/stream")
    async with twilio.http.ws_connect(address, headers=headers):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await twilio.http.ws_connect(address, headers=headers)
    async with asyncio.timeout(TIMEOUT):
        await twilio.stream([{"event": "connected"}, {"event": "stop"}])


def test_a_signature_is_that_of_their_documentation() -> None:
    """Their example of a request with fields, and its signature."""
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675310",
        "Digits": "1234",
        "From": "+14158675310",
        "To": "+18005551212",
    }
    address = "https://example.com/myapp.php?foo=1&bar=2"
    assert program.signature("12345", address, fields) == "L/OH5YylLD5NRKLltdqwSvS0BnU="
