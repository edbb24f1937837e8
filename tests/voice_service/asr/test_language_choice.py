"""Which language is taken for the one that is spoken."""

from __future__ import annotations

import pytest

from voice_service.asr.language_choice import choose_language


@pytest.mark.parametrize(
    ("candidates", "probabilities", "chosen"),
    [
        (["en", "es"], {"en": 0.2, "es": 0.7}, "es"),
        (["en", "es"], {"en": 0.02, "es": 0.09, "pt": 0.8}, "es"),
        (["en", "es"], {"en": 0.45, "es": 0.55}, "en"),
        (["es", "en"], {"en": 0.45, "es": 0.55}, "es"),
        (["en", "es"], {}, "en"),
        (["en"], {"es": 0.9}, "en"),
    ],
)
def test_another_language_must_be_clearly_more_probable(
    candidates: list[str], probabilities: dict[str, float], chosen: str
) -> None:
    """Only the candidates count, and a short word does not change the language."""
    assert choose_language(candidates, probabilities) == chosen
