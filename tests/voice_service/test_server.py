"""Starting the service: errors that name what is missing."""

from __future__ import annotations

import pytest

from voice_service.models.registry import ModelError
from voice_service.server import prepare
from voice_service.settings import VoiceSettings


def test_a_missing_device_or_number_format_is_named() -> None:
    """The service refuses to start and says why, before any model is fetched."""
    with pytest.raises(ModelError, match=r"this CPU computes in .*int8.*--compute-type"):
        prepare(VoiceSettings(model="small.en", compute_type="int8_float16"))
    with pytest.raises(ModelError, match=r"there is no GPU 63.*--device-index"):
        prepare(VoiceSettings(model="small.en", device="cuda", device_index=(63,)))
