"""Several languages in one session, with a multilingual model (`make test` fetches it)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from support.recordings import finals, recording
from support.voice_server import Server

from voice_service.app import load_recognizer
from voice_service.asr.hypothesis import DecodeRequest
from voice_service.asr.recognizer import Recognizer
from voice_service.audio.recordings import read_audio
from voice_service.models.registry import resolve
from voice_service.settings import VoiceSettings

SPANISH = read_audio(Path(__file__).with_name("cafe_con_leche.flac"))
"""“¿Me puede dar un café con leche grande, por favor?”, spoken by espeak-ng."""


@pytest.fixture(scope="module")
def multilingual() -> Recognizer:
    """Load base from where `make` puts it."""
    settings = VoiceSettings(model="base", models_dir=Path(sys.prefix) / "models")
    assert settings.models_dir is not None
    return load_recognizer(settings, resolve(settings.model, settings.models_dir))


async def test_each_utterance_names_its_language_and_orders_in_it(
    multilingual: Recognizer, tmp_path: Path
) -> None:
    """A guest who changes from English to Spanish is understood in both, in one order."""
    async with Server(multilingual, tmp_path, {"model": "base"}) as server:
        client = await server.voice()
        said = np.concatenate([recording("one_item"), SPANISH])
        events = await client.stream(said, "s1", language="en-US, es-MX")
        [order] = await server.orders()
    assert events[1]["data"]["language"] == "en-US, es-MX"
    heard = finals(events)
    assert [final["language"] for final in heard] == ["en-US", "es-MX"]
    assert "leche" in heard[1]["text"]
    assert [item["menu_item_id"] for item in order["items"]] == ["double_cheeseburger", "coffee"]
    transcripts = [e["data"] for e in events if e["type"] == "voice:transcript"]
    assert {t["language"] for t in transcripts} <= {"en-US", "es-MX"}


def test_the_bias_is_in_the_language_that_is_spoken(multilingual: Recognizer) -> None:
    """An English menu before Spanish speech would make the recogniser write English."""
    biases = {"en": "I would like a cheeseburger.", "es": "Quisiera un café con leche."}
    requests = [
        DecodeRequest(audio, languages, thorough, biases["en"], biases=biases)
        for audio, languages in ((SPANISH, "en,es"), (recording("one_item"), "es,en"))
        for thorough in (False, True)
    ]
    answers = multilingual.decode(requests)
    assert [answer.language for answer in answers] == ["es", "es", "en", "en"]
    assert all("leche" in answer.text for answer in answers[:2])
    assert all("double cheeseburger" in answer.text for answer in answers[2:])


async def test_a_language_that_the_model_lacks_refuses_the_whole(
    multilingual: Recognizer, tmp_path: Path
) -> None:
    """The guest would be misheard in it without anybody noticing."""
    async with Server(multilingual, tmp_path, {"model": "base"}) as server:
        client = await server.voice()
        await client.send("voice:start", {"session_id": "s1", "language": "en-US, tlh, es"})
        error = await client.error("UNSUPPORTED_LANGUAGE")
        assert error["data"]["message"].startswith("the model base does not know tlh; it knows: ")
        await client.begin("s1", language="en-US, es")
