"""Starting the service: errors that name what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from voice_service.asr.recognizer import Recognizer
from voice_service.models.registry import ModelError
from voice_service.server import model_name, prepare
from voice_service.settings import VoiceSettings


def test_a_missing_device_or_number_format_is_named() -> None:
    """The service refuses to start and says why, before any model is fetched."""
    with pytest.raises(ModelError, match=r"this CPU computes in .*int8.*--compute-type"):
        prepare(VoiceSettings(model="small.en", compute_type="int8_float16"))
    with pytest.raises(ModelError, match=r"there is no GPU 63.*--device-index"):
        prepare(VoiceSettings(model="small.en", device="cuda", device_index=(63,)))


def test_a_final_model_is_named_when_it_is_at_fault(tmp_path: Path) -> None:
    """Both models are found, checked and loaded before the port is opened."""
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ModelError, match="empty"):
        prepare(VoiceSettings(final_model=str(empty)))


def test_a_final_model_that_is_the_model_is_loaded_once() -> None:
    """It would only take memory."""
    assert isinstance(prepare(VoiceSettings(final_model="tiny.en")), Recognizer)


def test_clients_are_told_the_models_names_and_no_paths() -> None:
    """A directory is known by its last part."""
    assert model_name(VoiceSettings()) == "tiny.en"
    assert model_name(VoiceSettings(final_model="tiny.en")) == "tiny.en"
    assert model_name(VoiceSettings(final_model="/srv/models/ours")) == "tiny.en+ours"
