"""Sends both sockets what their schemas allow, and what they do not, and looks for errors of ours.

schemathesis makes the messages from the AsyncAPI document of a running service. A connection must
answer the message that follows them, or be closed for a documented reason that is not ours;
whatever it says must have the documented form.

    python benchmarks/fuzz_sockets.py --examples 300
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import urllib.parse
import urllib.request
import uuid
from collections import Counter
from typing import Any

import aiohttp
import schemathesis
from harness import Service, service
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode

Json = dict[str, Any]
PATHS = {"root": "/", "voiceStream": "/voice-stream"}
SESSION = "the-fuzzed-session"
"""Stands for the id of the conversation's own session."""
LAST = "the fuzzer's last message"
ABOUT_SESSION = {"data": {"session_id": SESSION}}
AROUND: dict[str, tuple[list[Json], Json]] = {
    "/": ([], {"type": "ping", "id": LAST}),
    "/voice-stream": (
        [{"type": "voice:start", **ABOUT_SESSION}],
        {"type": "voice:end", "id": LAST, **ABOUT_SESSION},
    ),
}
"""What comes first, so that there is a session that the messages can be about, and last."""
OURS = {1006, 1011}
"""Close codes that would be our fault: no close frame at all, and an internal error."""
ANSWER_S = 30.0


class Wrong(Exception):
    """The service has not done what it documents; the message says what."""


class Socket:
    """What one of the sockets takes and sends, by the document."""

    def __init__(self, document: Json, name: str) -> None:
        self.path = PATHS[name]
        self._components = {"components": document["components"]}
        by_action: dict[str, set[str]] = {"receive": set(), "send": set()}
        for operation in document["operations"].values():
            if operation["channel"]["$ref"].endswith(f"/{name}"):
                places = (*operation["messages"], *operation.get("reply", {}).get("messages", ()))
                names = [place["$ref"].rpartition("/")[2] for place in places]
                by_action[operation["action"]].update(names[: len(operation["messages"])])
                by_action["send"].update(names[len(operation["messages"]) :])
        messages = document["components"]["messages"]
        self._taken = [messages[each]["payload"] for each in sorted(by_action["receive"])]
        self._sent = {
            messages[each]["name"]: Draft202012Validator(
                messages[each]["payload"] | self._components
            )
            for each in by_action["send"]
        }

    def messages(self) -> st.SearchStrategy[str | bytes]:
        """Return messages that fit a schema, messages that do not, and mere text."""
        # schemathesis makes bodies of requests, so each message is one of a made-up interface.
        api = {
            "openapi": "3.1.0",
            "info": {"title": "messages", "version": "1"},
            "paths": {f"/{number}": _request(each) for number, each in enumerate(self._taken)},
            **self._components,
        }
        schema = schemathesis.openapi.from_dict(api)
        bodies = [
            schema[f"/{number}"]["POST"].as_strategy(generation_mode=mode)
            for number in range(len(self._taken))
            for mode in GenerationMode
        ]
        encoded = [st.builds(_encoded, case, about_session=st.booleans()) for case in bodies]
        return st.one_of(st.text(), *encoded)

    def require_documented(self, text: str) -> str:
        """Return the type of a message from the service; raise Wrong if it has another form."""
        message = json.loads(text)
        validator = self._sent.get(message["type"])
        if validator is None:
            raise Wrong(f"{self.path} sent what it does not document: {text[:500]}")
        error = next(validator.iter_errors(message), None)
        if error is not None:
            raise Wrong(f"{self.path} sent {text[:500]}: {error.message}")
        return str(message["type"])


def _request(payload: Json) -> Json:
    body = {"required": True, "content": {"application/json": {"schema": payload}}}
    return {"post": {"requestBody": body, "responses": {"200": {"description": "taken"}}}}


def _encoded(case: schemathesis.Case[Any], *, about_session: bool) -> str | bytes:
    if isinstance(case.body, bytes):
        return case.body
    body: Any = case.body
    if about_session and isinstance(body, dict) and isinstance(body.get("data"), dict):
        body = {**body, "data": {**body["data"], "session_id": SESSION}}
    return json.dumps(body)


async def converse(
    running: Service, socket: Socket, messages: list[str | bytes], seen: Counter[str]
) -> None:
    """Send the messages, and one to be answered; count the answers by type, or the close code."""
    url = urllib.parse.urljoin(running.url, socket.path)
    authorization = f"Bearer {running.token}"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, headers={"Authorization": authorization}) as link,
        asyncio.timeout(ANSWER_S),
    ):
        first, last = AROUND[socket.path]
        session_id = uuid.uuid4().hex
        for message in (*map(json.dumps, first), *messages, json.dumps(last)):
            if isinstance(message, bytes):
                await link.send_bytes(message)
            else:
                await link.send_str(message.replace(SESSION, session_id))
        async for answer in link:
            seen[socket.require_documented(answer.data)] += 1
            if json.loads(answer.data).get("id") == LAST:
                return
        if link.close_code in OURS:
            raise Wrong(f"{socket.path} was closed with {link.close_code}")
        seen[f"closed {link.close_code}"] += 1


def fuzz(running: Service, socket: Socket, examples: int) -> Counter[str]:
    """Have that many conversations; return what was answered how often. Raises Wrong."""
    seen: Counter[str] = Counter()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(socket.messages(), min_size=1, max_size=6))
    def run(messages: list[str | bytes]) -> None:
        asyncio.run(converse(running, socket, messages, seen))

    run()
    return seen


def main() -> int:
    """Fuzz a service of its own; return 0 if nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=300, help="conversations per socket")
    options = parser.parse_args()
    limits = ("--regular-per-minute", "1000000")
    with service(limits, role="service") as running:
        place = urllib.parse.urlsplit(running.url).netloc
        with urllib.request.urlopen(f"http://{place}/v1/asyncapi.json") as answer:
            document = json.load(answer)
        for name, path in PATHS.items():
            try:
                seen = fuzz(running, Socket(document, name), options.examples)
            except Wrong as found:
                print(found, file=sys.stderr)
                return 1
            print(f"{path}: {dict(seen.most_common())}")
        if not running.process.is_running():
            print("the service has ended", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
