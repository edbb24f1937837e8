"""Prometheus metrics of the voice service, in the registry of the hub's."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCY = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


class VoiceMetrics:
    """Prometheus collectors. `decode_seconds / decode_audio_seconds` is the real-time factor."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.sessions = Gauge("voice_sessions", "Voice sessions in progress", registry=registry)
        self.capacity = Gauge(
            "voice_sessions_capacity",
            "Voice sessions that the server accepts at the same time",
            registry=registry,
        )
        self.refused = Counter(
            "voice_sessions_refused",
            "Voice sessions refused because the server was full",
            registry=registry,
        )
        self.audio = Counter("voice_audio_seconds", "Seconds of audio received", registry=registry)
        self.finals = Counter("voice_finals", "Final transcripts sent", registry=registry)
        self.partials = Counter("voice_partials", "Partial transcripts sent", registry=registry)
        self.decode_seconds = Histogram(
            "voice_decode_seconds",
            "Duration of a decode on its worker, whether of one utterance or of a batch",
            ["kind"],
            buckets=_LATENCY,
            registry=registry,
        )
        self.batch_size = Histogram(
            "voice_decode_batch_size",
            "Utterances decoded together in one pass through the model",
            ["kind"],
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=registry,
        )
        self.decode_wait = Histogram(
            "voice_decode_wait_seconds",
            "Time from the request for a decode to its start",
            ["urgency"],
            buckets=_LATENCY,
            registry=registry,
        )
        self.decode_audio_seconds = Counter(
            "voice_decode_audio_seconds", "Seconds of audio decoded", ["kind"], registry=registry
        )
        self.decode_waiting = Gauge(
            "voice_decode_waiting", "Sessions waiting for a decode", registry=registry
        )
        self.decode_failures = Counter(
            "voice_decode_failures", "Decodes that failed with an error", registry=registry
        )
        self.decodes_hanging = Gauge(
            "voice_decodes_hanging",
            "Decodes that were given up and have not come back",
            registry=registry,
        )
        self.decode_repeats = Counter(
            "voice_decode_repeats",
            "Further attempts at a decode: a phrase came twice or faster than anyone speaks "
            "(doubt), it looped in a full window too (loop), or it still had more words than fit "
            "into the time, for which the menu's prompt is left out (prompt)",
            ["why"],
            registry=registry,
        )
        self.decode_empty = Counter(
            "voice_decode_empty",
            "Finals in which nothing was heard, although the detector heard speech for a second",
            registry=registry,
        )
        self.self_tests = Counter(
            "voice_self_tests",
            "Tests of a suspicious recogniser with known speech, by whether it was heard",
            ["outcome"],
            registry=registry,
        )
        self.final_latency = Histogram(
            "voice_final_latency_seconds",
            "Time from the end of an utterance, as the detector noticed it, to its final",
            buckets=_LATENCY,
            registry=registry,
        )
