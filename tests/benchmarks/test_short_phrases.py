"""The counts behind `benchmarks/short_phrases.py`."""

from __future__ import annotations

import pytest
from short_phrases import Tally

from voice_service.ordering import CompiledMenu
from voice_service.server import demo_menu


@pytest.fixture(scope="module")
def menu() -> CompiledMenu:
    return CompiledMenu(demo_menu())


@pytest.mark.parametrize(
    ("heard", "inserted", "lost", "names"),
    [
        ("and a small coke", 0, 0, 2),
        ("and a small coke and a small coke", 4, 0, 2),
        ("a small", 0, 2, 1),
        ("", 0, 4, 0),
    ],
)
def test_words_and_names_are_counted(
    menu: CompiledMenu, heard: str, inserted: int, lost: int, names: int
) -> None:
    """A name that is heard twice but was said once is right once."""
    tally = Tally()
    alike = tally.add("and a small coke", heard, menu)
    assert (tally.inserted, tally.lost, tally.names_right) == (inserted, lost, names)
    assert (tally.recordings, tally.words, tally.named) == (1, 4, 2)
    assert tally.spoiled == (inserted > 0)
    assert alike is (heard == "and a small coke")
