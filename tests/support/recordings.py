"""The recordings of the fixtures: their samples, their descriptions, and what was heard in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import jiwer
import numpy as np
from numpy.typing import NDArray
from support.paths import AUDIO
from whisper_normalizer.english import EnglishTextNormalizer

from voice_service.audio.recordings import read_audio
from voice_service.commands.pacing import pcm

NAMES = sorted(path.stem for path in AUDIO.glob("*.wav"))

Event = dict[str, Any]
Samples = NDArray[np.float32]
_normalise = EnglishTextNormalizer()


@cache
def sidecar(name: str) -> dict[str, Any]:
    """Return the description of a recording."""
    described: dict[str, Any] = json.loads((AUDIO / f"{name}.json").read_text(encoding="utf-8"))
    return described


@cache
def recording(name: str) -> Samples:
    """Return the samples of a recording, read-only."""
    samples = read_audio(AUDIO / f"{name}.wav")
    samples.flags.writeable = False
    return samples


def normal(text: str) -> str:
    """Normalise text as Whisper's authors do before comparing it."""
    return str(_normalise(text))


def wer(reference: str, heard: str) -> float:
    """Return the word error rate of normalised texts; it may exceed 1."""
    return float(jiwer.wer(normal(reference), normal(heard)))


def pieces(samples: Samples, chunk_ms: int = 100) -> list[bytes]:
    """Split samples into the payloads of `pcm_s16le` chunks."""
    length = 16 * chunk_ms
    return [pcm(samples[i : i + length]) for i in range(0, len(samples), length)]


def silence(seconds: float) -> Samples:
    """Return digital silence at 16 kHz."""
    return np.zeros(round(seconds * 16_000), np.float32)


def finals(events: Iterable[Event]) -> list[Event]:
    """Return the `data` of the final transcripts among events."""
    return [
        event["data"]
        for event in events
        if event["type"] == "voice:transcript" and event["data"]["is_final"]
    ]


def text_of(events: Iterable[Event]) -> str:
    """Return the text of all finals, each utterance once, in the order of utterances."""
    by_number = {final["utterance"]: final["text"] for final in finals(events)}
    return " ".join(by_number[number] for number in sorted(by_number))


def essence(items: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what two orders' items are compared by: no prices, ids or defaults."""
    return sorted(
        (
            item["menu_item_id"],
            item["quantity"],
            item.get("size") or "",
            tuple(sorted((m["id"], m["negated"], m["qualifier"] or "") for m in item["modifiers"])),
        )
        for item in items
    )
