"""Partials by one model and finals by another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.recordings import finals, recording, sidecar, text_of, wer
from support.voice_server import Server

from voice_service.app import load_recognizer
from voice_service.asr.calibration import Calibration
from voice_service.asr.hypothesis import DecodeRequest
from voice_service.asr.model_pair import ModelPair
from voice_service.asr.recognizer import Recognizer
from voice_service.models.registry import default_models_dir, resolve
from voice_service.settings import VoiceSettings

DOUBTING = Calibration(offset=-10)


@pytest.fixture(scope="module")
def doubting() -> Recognizer:
    """The same weights loaded once more, whose answers can be told by their confidence."""
    english = resolve("tiny.en", default_models_dir({}))
    return load_recognizer(VoiceSettings(), replace(english, calibration=DOUBTING))


def test_each_kind_of_decode_has_its_model(recognizer: Recognizer, doubting: Recognizer) -> None:
    """In one batch too; answers come in the order of the requests."""
    pair = ModelPair(recognizer, doubting)
    kinds = [True, False, True]
    names = ["one_item", "modifiers", "sizes"]
    answers = pair.decode(
        [DecodeRequest(recording(n), "en", kind) for n, kind in zip(names, kinds, strict=True)]
    )
    assert [answer.calibration == DOUBTING for answer in answers] == kinds
    for name, answer in zip(names, answers, strict=True):
        assert wer(sidecar(name)["text"], answer.text) <= 0.15


def test_admission_counts_what_each_model_is_used_for(
    recognizer: Recognizer, doubting: Recognizer
) -> None:
    """A better model for finals makes room for fewer guests."""
    pair = ModelPair(recognizer, doubting)
    assert pair.cost == recognizer.quick_cost + doubting.thorough_cost > 0
    assert pair.compute == doubting.compute


def test_prompts_are_compared_in_the_tokens_of_both(
    recognizer: Recognizer, doubting: Recognizer
) -> None:
    """Requests that share a pass need prompts of one length, whichever model decodes them."""
    pair = ModelPair(recognizer, doubting)
    assert pair.prompt_length("en", "a tea") != pair.prompt_length("en", "a large tea")


def test_models_without_a_common_language_are_refused(recognizer: Recognizer) -> None:
    """No session could use them."""
    spanish = Recognizer(recognizer.whisper, languages=("es",))
    with pytest.raises(ValueError, match="no language in common"):
        ModelPair(recognizer, spanish)


async def test_a_session_gets_finals_of_the_final_model(
    recognizer: Recognizer, doubting: Recognizer, tmp_path: Path
) -> None:
    """Speculative ones too; clients are told the names of both."""
    pair = ModelPair(recognizer, doubting)
    async with Server(pair, tmp_path, {"final_model": "tiny.en-doubting"}) as server:
        client = await server.voice()
        events = await client.stream(recording("one_item"), "s", order="off")
    [started] = [event for event in events if event["type"] == "voice:started"]
    assert started["data"]["model"] == "tiny.en+tiny.en-doubting"
    [final] = finals(events)
    assert final["confidence"] < 0.1
    assert wer(sidecar("one_item")["text"], text_of(events)) <= 0.15
