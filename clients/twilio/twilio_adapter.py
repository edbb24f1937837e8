"""Takes telephone calls from Twilio Media Streams, and gives them to the voice service.

`python twilio_adapter.py --help` says how to run it; README.md says what to set at Twilio.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import logging
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from aiohttp import WSMsgType, web

from voice_service.client import StreamFailed, VoiceSession

CALL: Final = "/call"
STREAM: Final = "/stream"
_MOST_BYTES: Final = 65_536
_BEGIN_S: Final = 10.0
"""Seconds that a stream has to say what it is."""
_END_S: Final = 30.0
"""Seconds for the last words of a call that has ended to be recognised."""

logger = logging.getLogger("twilio_adapter")


class Adapter:
    """Serves what Twilio calls. `public` is the address under which it does (https://…).

    `url` and `token` are those of the voice service; `secret` is Twilio's auth token, with which
    its requests are signed. At most `calls` are taken at a time.
    """

    def __init__(self, public: str, url: str, token: str, secret: str, calls: int = 50) -> None:
        self._public = public.rstrip("/")
        self._url = url
        self._token = token
        self._secret = secret
        self._most = calls
        self._calls = 0

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_post(CALL, self.call)
        app.router.add_get(STREAM, self.stream)
        return app

    async def call(self, request: web.Request) -> web.Response:
        """Answer a call with TwiML: connect it to the stream. `lane` in the query is passed on."""
        fields = await request.post()
        self._check(request, {name: str(value) for name, value in fields.items()})
        address = f"wss{self._public.removeprefix('https')}{STREAM}"
        lane = quoteattr(request.query.get("lane", "phone"))
        twiml = (
            f"<Response><Connect><Stream url={quoteattr(address)}>"
            f'<Parameter name="lane" value={lane}/></Stream></Connect></Response>'
        )
        return web.Response(text=twiml, content_type="application/xml")

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Carry one call's audio, until either side ends it."""
        self._check(request, {})
        if self._calls >= self._most:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse(max_msg_size=_MOST_BYTES, heartbeat=30)
        await socket.prepare(request)
        self._calls += 1
        try:
            await self._carry(socket)
        except (StreamFailed, TimeoutError) as error:
            logger.warning("a call ended: %s", error or "nothing came in time")
        finally:
            self._calls -= 1
            await socket.close()
        return socket

    async def _carry(self, socket: web.WebSocketResponse) -> None:
        events = _events(socket)
        async with asyncio.timeout(_BEGIN_S):
            start = await _start(events)
        if start is None:
            return
        form = start["mediaFormat"]
        session = VoiceSession(
            self._url,
            self._token,
            session_id=start["callSid"],
            audio={"encoding": form["encoding"], "sample_rate": form["sampleRate"]},
            lane=start.get("customParameters", {}).get("lane", "phone"),
        )
        async with session:
            listening = asyncio.create_task(_listen(session))
            try:
                await _send_audio(events, session)
                await session.finish()
                async with asyncio.timeout(_END_S):
                    await listening
            finally:
                listening.cancel()

    def _check(self, request: web.Request, fields: Mapping[str, str]) -> None:
        """Refuse what Twilio has not signed."""
        scheme = "wss" if request.path == STREAM else "https"
        address = f"{scheme}{self._public.removeprefix('https')}{request.path_qs}"
        given = request.headers.get("X-Twilio-Signature", "")
        if not hmac.compare_digest(signature(self._secret, address, fields), given):
            logger.warning("refused: the signature of a request from %s is wrong", request.remote)
            raise web.HTTPForbidden


def signature(secret: str, address: str, fields: Mapping[str, str]) -> str:
    """Return the `X-Twilio-Signature` of a request."""
    signed = address + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.digest(secret.encode(), signed.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


async def _events(socket: web.WebSocketResponse) -> AsyncIterator[Mapping[str, Any]]:
    """Yield Twilio's messages until the call is over."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            return
        event: Mapping[str, Any] = message.json()
        if event["event"] == "stop":
            return
        yield event


async def _start(events: AsyncIterator[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return what the stream says of itself, or None if it ends before that."""
    async for event in events:
        if event["event"] == "start":
            start: Mapping[str, Any] = event["start"]
            return start
    return None


async def _send_audio(events: AsyncIterator[Mapping[str, Any]], session: VoiceSession) -> None:
    # Marks, keys that were pressed, and whatever else there will be are of no use here.
    async for event in events:
        if event["event"] == "media":
            await session.send(base64.b64decode(event["media"]["payload"]))


async def _listen(session: VoiceSession) -> None:
    async for event in session:
        data = event["data"]
        if event["type"] == "voice:order":
            logger.info("%s: %s: %s", session.session_id, data["status"], data["readback"])
        elif event["type"] == "error":
            logger.warning("%s: %s", session.session_id, data["message"])


def main() -> int:
    """Serve until stopped; return the exit status."""
    parser = argparse.ArgumentParser(
        description="Takes calls from Twilio Media Streams. The environment has two secrets: "
        "TWILIO_AUTH_TOKEN, and VOICE_TOKEN, a token of the role `device`."
    )
    parser.add_argument("--public", required=True, help="its own address (https://…), for Twilio")
    parser.add_argument("--url", default="http://127.0.0.1:3001", help="the voice service's")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--calls", type=int, default=50, help="most at a time (default: 50)")
    options = parser.parse_args()
    try:
        secret, token = os.environ["TWILIO_AUTH_TOKEN"], os.environ["VOICE_TOKEN"]
    except KeyError as missing:
        print(f"{Path(sys.argv[0]).name}: set {missing.args[0]}", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    adapter = Adapter(options.public, options.url, token, secret, options.calls)
    web.run_app(adapter.app(), host=options.host, port=options.port, print=None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
