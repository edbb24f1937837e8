"""Every metric of the voice service is observed, and dashboard and alerts use existing ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from support.paths import DOCS
from support.recordings import pieces, recording
from support.voice_server import Server, Start

from order_events.metrics import HubMetrics
from voice_service.metrics import VoiceMetrics

DASHBOARD: dict[str, Any] = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
ALERTS: dict[str, Any] = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))
OURS = re.compile(r"\b(?:order_events|voice|process)_[a-z_]+")


def names() -> set[str]:
    """Return every name under which the service's `/metrics` shows something."""
    metrics = HubMetrics()
    VoiceMetrics(metrics.registry)
    return {
        f"{family.name}{ending}"
        for family in metrics.registry.collect()
        for ending in {
            "counter": ("_total",),
            "gauge": ("",),
            "histogram": ("_bucket", "_sum", "_count"),
        }[family.type]
    }


def queries() -> Iterator[str]:
    """Yield every query of the dashboard and of the alerts."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"].replace("$__rate_interval", "1m")
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]


@pytest.mark.parametrize("query", list(queries()))
def test_a_query_is_promql_over_metrics_that_exist(query: str) -> None:
    """Otherwise a panel stays empty, or an alert silent."""
    promql_parser.parse(query)
    used = set(OURS.findall(query))
    assert used
    assert used <= names()


def test_the_dashboard_shows_what_the_protocol_promises() -> None:
    """Connections, throughput, failures, reconnections, processing; queues, commits, decodes."""
    shown = {name for query in queries() for name in OURS.findall(query)}
    assert {
        "order_events_connections",
        "order_events_messages_received_total",
        "order_events_messages_sent_total",
        "order_events_auth_failures_total",
        "order_events_reconnections_total",
        "order_events_message_processing_seconds_bucket",
        "order_events_store_queue",
        "order_events_commit_seconds_bucket",
        "order_events_replay_seconds_bucket",
        "order_events_slow_closes_total",
        "voice_decode_waiting",
        "voice_decodes_hanging",
        "voice_decode_seconds_bucket",
        "voice_decode_audio_seconds_total",
        "voice_sessions",
        "voice_sessions_capacity",
        "voice_sessions_refused_total",
    } <= shown
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


async def shown(server: Server) -> str:
    """Return the current `/metrics`."""
    async with server.http.get(server.url + "/metrics") as response:
        return await response.text()


async def test_every_metric_of_the_voice_side_is_observed(start: Start) -> None:
    """One session is heard, one is refused for lack of room."""
    server = await start(max_sessions=1, stall_s=60)
    microphone = await server.voice()
    await microphone.begin("s1")
    chunks = pieces(recording("one_item"), 500)
    await microphone.chunks(chunks[:4])
    # A busy machine would otherwise hear the end before it has had time for a partial.
    await microphone.until("voice:transcript")
    await microphone.chunks(chunks[4:], first=5)
    refused = await server.voice(user="lane-2")
    await refused.send("voice:start", {"session_id": "s2"})
    await refused.error("OVERLOADED")
    text = await shown(server)
    await microphone.end()
    text += await shown(server)
    samples = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("voice_")]
    seen = {re.split(r"[{ ]", name)[0] for name, value in samples if float(value)}
    ours = {name for name in names() if name.startswith("voice_")}
    rare = {
        "voice_decode_empty_total",
        "voice_decode_failures_total",
        "voice_decode_repeats_total",
        "voice_decode_waiting",
        "voice_decodes_hanging",
        "voice_self_tests_total",
    }
    assert ours - seen <= rare
