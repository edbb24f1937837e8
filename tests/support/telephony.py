"""A recording as telephone systems send it."""

from __future__ import annotations

import base64
import io
from typing import Any

import soundfile
import soxr
from support.recordings import recording


def mulaw(name: str = "one_item") -> bytes:
    """Return a recording as mu-law at 8 kHz."""
    raw = io.BytesIO()
    samples = soxr.resample(recording(name), 16_000, 8_000)
    soundfile.write(raw, samples, 8_000, subtype="ULAW", format="RAW")
    return raw.getvalue()


def frames_of_20_ms(data: bytes, size: int) -> list[bytes]:
    """Cut into frames of `size` bytes; the last one may be shorter."""
    return [data[i : i + size] for i in range(0, len(data), size)]


def twilio_messages(mulaw: bytes) -> list[dict[str, Any]]:
    """Return a call as Twilio's documentation of Media Streams shows its messages."""
    stream, call, account = "MZ18ad3ab5a668481ce02b83e7395059f0", "CA123", "AC123"
    messages: list[dict[str, Any]] = [
        {"event": "connected", "protocol": "Call", "version": "1.0.0"},
        {
            "event": "start",
            "sequenceNumber": "1",
            "start": {
                "accountSid": account,
                "streamSid": stream,
                "callSid": call,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8_000, "channels": 1},
                "customParameters": {},
            },
            "streamSid": stream,
        },
    ]
    for number, frame in enumerate(frames_of_20_ms(mulaw, 160), 1):
        messages.append(
            {
                "event": "media",
                "sequenceNumber": str(number + 1),
                "media": {
                    "track": "inbound",
                    "chunk": str(number),
                    "timestamp": str(20 * number),
                    "payload": base64.b64encode(frame).decode(),
                },
                "streamSid": stream,
            }
        )
    stop = {"accountSid": account, "callSid": call}
    return [*messages, {"event": "stop", "sequenceNumber": "9", "stop": stop, "streamSid": stream}]
