"""The table of doubts, and what each weighs."""

from __future__ import annotations

import pytest

from voice_service.ordering.doubt import Doubt
from voice_service.ordering.likelihood import SETTLED, Grounds


@pytest.mark.parametrize("doubt", Doubt, ids=lambda doubt: doubt.name)
def test_every_doubt_has_an_example_and_makes_a_line_less_sure(doubt: Doubt) -> None:
    """A doubt without a weight would be none; an example says in which words it arises."""
    assert doubt.value.startswith("“")
    assert 0 < Grounds().doubted(doubt).confidence < Grounds().confidence < 1


def test_a_line_is_as_sure_as_the_weaker_of_hearing_and_understanding() -> None:
    """What was misheard is not mended by a full name, nor the reverse."""
    doubted = Grounds(frozenset({Doubt.AFTER_AND}), heard=0.9)
    assert doubted.confidence == Grounds(frozenset({Doubt.AFTER_AND})).confidence
    assert Grounds(heard=0.3).confidence == 0.3 * Grounds().confidence


def test_what_changes_a_line_brings_its_doubts_along() -> None:
    """A line rests on everything that was said of it, until somebody says that it is right."""
    one, other = Grounds(frozenset({Doubt.AFTER_AND}), mended=1.0), Grounds(heard=0.8)
    both = one.also(other)
    assert (both.doubts, both.mended, both.heard) == ({Doubt.AFTER_AND}, 1.0, 0.8)
    assert SETTLED.confidence == 1.0
    assert SETTLED.also(one).confidence == one.confidence
