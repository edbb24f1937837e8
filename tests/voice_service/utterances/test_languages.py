"""Which languages a decode may choose from."""

from __future__ import annotations

from voice_service.utterances.languages import SpokenLanguages


def test_the_likeliest_language_comes_first() -> None:
    """At first that of the list, later the one of the last final."""
    languages = SpokenLanguages("en,es,zh")
    assert languages.to_try("", final=False) == "en,es,zh"
    languages.conclude("zh")
    assert languages.to_try("", final=False) == "zh,en,es"
    languages.conclude("")
    assert languages.to_try("", final=True) == "zh,en,es"


def test_an_utterance_keeps_its_language_until_its_final() -> None:
    """Then it is looked at once more, with that one the likeliest."""
    languages = SpokenLanguages("en,es")
    assert languages.to_try("es", final=False) == "es"
    assert languages.to_try("es", final=True) == "es,en"


def test_one_language_is_always_the_only_one() -> None:
    """Nothing is chosen then."""
    languages = SpokenLanguages("en")
    assert languages.to_try("", final=True) == languages.to_try("en", final=False) == "en"
