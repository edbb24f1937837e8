"""The metrics of the voice service, in the registry of the hub's metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCY = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


class VoiceMetrics:
    """Prometheus collectors. `decode_seconds / decode_audio_seconds` is the real-time factor."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.sessions = Gauge("voice_sessions", "Voice sessions in progress", registry=registry)
        self.capacity = Gauge(
            "voice_sessions_capacity", "Voice sessions that are admitted", registry=registry
        )
        self.refused = Counter(
            "voice_sessions_refused", "Voice sessions refused for lack of room", registry=registry
        )
        self.audio = Counter("voice_audio_seconds", "Audio received", registry=registry)
        self.finals = Counter("voice_finals", "Final transcripts sent", registry=registry)
        self.partials = Counter("voice_partials", "Partial transcripts sent", registry=registry)
        self.decode_seconds = Histogram(
            "voice_decode_seconds",
            "Time of one decode on its worker, be it of one utterance or of a batch",
            ["kind"],
            buckets=_LATENCY,
            registry=registry,
        )
        self.batch_size = Histogram(
            "voice_decode_batch_size",
            "Utterances that shared a pass through the model",
            ["kind"],
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=registry,
        )
        self.decode_wait = Histogram(
            "voice_decode_wait_seconds",
            "From the need for a decode to its start",
            ["urgency"],
            buckets=_LATENCY,
            registry=registry,
        )
        self.decode_audio_seconds = Counter(
            "voice_decode_audio_seconds", "Audio decoded", ["kind"], registry=registry
        )
        self.decode_waiting = Gauge(
            "voice_decode_waiting", "Sessions that wait for a decode", registry=registry
        )
        self.decode_failures = Counter(
            "voice_decode_failures", "Decodes that raised an error", registry=registry
        )
        self.decode_repeats = Counter(
            "voice_decode_repeats",
            "Decodes that were done twice, since the first had gone round in circles",
            registry=registry,
        )
        self.final_latency = Histogram(
            "voice_final_latency_seconds",
            "From the end of an utterance, as the detector noticed it, to its final",
            buckets=_LATENCY,
            registry=registry,
        )
