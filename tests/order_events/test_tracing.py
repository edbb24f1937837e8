"""Traces from a request to the sockets that are told; and nothing at all while they are off."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError
from support.spans import TRACE, TRACEPARENT, traced

from order_events import settings, tracing
from order_events.settings import HubSettings


async def test_a_request_is_followed_to_the_sockets(start: Any, burger: dict[str, Any]) -> None:
    """Under the trace that its sender names."""
    with traced() as spans:
        server = await start()
        screen = await server.connect()
        headers = {"traceparent": TRACEPARENT}
        await server.call("POST", "/v1/orders", burger, headers=headers)
        await screen.until("order:created")
        while not spans.of("POST /v1/orders"):  # noqa: ASYNC110 (a span tells nobody)
            await asyncio.sleep(0.01)
        [request] = spans.of("POST /v1/orders")
        assert request.parent is not None
        assert request.attributes is not None
        assert request.attributes["http.response.status_code"] == 201
        sent = {s.attributes["type"]: s for s in spans.of("fan out") if s.attributes}
        created = sent["order:created"]
        assert spans.path(created) == ["fan out", "commit", "POST /v1/orders"]
        assert created.attributes is not None
        assert created.attributes["subscribers"] == 1
        assert {format(s.context.trace_id, "032x") for s in (request, created)} == {TRACE}


async def test_requests_without_a_sender_have_a_trace_each_and_refusals_have_one_too(
    start: Any,
) -> None:
    """What the server does by itself has none."""
    with traced() as spans:
        server = await start()
        await server.events.put_menu("r1", (await server.events.menu("r1")), "test")
        assert spans.of("commit") == []
        await server.call("GET", "/v1/orders")
        assert (await server.call("GET", "/v1/orders/none"))[0] == 404
        assert (await server.call("GET", "/nowhere"))[0] == 404
        while not (missing := spans.of("GET /v1/orders/{id}")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert missing[0].attributes["http.response.status_code"] == 404
        [listed] = spans.of("GET /v1/orders")
        assert listed.parent is None
        assert listed.context.trace_id != missing[0].context.trace_id


async def test_without_traces_nothing_is_made_or_wrapped(server: Any) -> None:
    """However many places in the code could begin one."""
    assert not tracing.enabled()
    assert tracing.received({"traceparent": TRACEPARENT}) is None
    assert tracing.carried(str) is str
    assert tracing.begin("x", None) is None
    with tracing.step("x", None) as step, tracing.substep("y"), tracing.within(None):
        assert step is None
        assert tracing.current() is None


def test_opentelemetry_is_not_imported_before_it_is_used() -> None:
    """The server runs without it."""
    code = "import order_events.app, sys; sys.exit('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_setting_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is missing."""
    monkeypatch.setattr(settings, "find_spec", lambda name: None)
    with pytest.raises(ValidationError, match=r"voice-ordering\[otel\]"):
        HubSettings(traces=True)


async def test_traces_are_sent_over_otlp(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """To where the standard variables say, and what is left when the server stops."""
    received = asyncio.Queue[bytes]()

    async def collector(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        received.put_nowait(head.split(b"\r\n")[0] + await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    listening = await asyncio.start_server(collector, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    server = await start(traces=True)
    await server.call("GET", "/v1/menu")
    await server.stop()
    sent = await asyncio.wait_for(received.get(), 30)
    assert sent.startswith(b"POST /v1/traces")
    assert b"GET /v1/menu" in sent
    assert b"voice-ordering" in sent
    assert not tracing.enabled()
    listening.close()
