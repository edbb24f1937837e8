"""The words of the staff page: the same in every language, and one for every reason."""

from __future__ import annotations

import re

import pytest
from support.paths import ROOT

from voice_service.ordering.reasons import ReasonCode

WEB = ROOT / "order_events" / "web"
LANGUAGES = ("en", "es")


def names(language: str) -> list[str]:
    """Return the names in a catalogue, each with its indentation: groups and what is in them."""
    files = (f"texts.{language}.js", f"texts-owner.{language}.js")
    text = "".join((WEB / name).read_text(encoding="utf-8") for name in files)
    return re.findall(r'(?:^ *|[{,] )(?:"([\w-]+)"|(\w+)): ', text, re.M)


def test_every_language_says_everything() -> None:
    """No name is missing in any catalogue, and none is left over."""
    first, *others = (sorted(names(language)) for language in LANGUAGES)
    assert len(first) > 150
    for other in others:
        assert other == first


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words(language: str) -> None:
    """Staff never read a code of the protocol."""
    known = {quoted or plain for quoted, plain in names(language)}
    assert {code.value for code in ReasonCode} <= known
