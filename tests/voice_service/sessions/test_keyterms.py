"""Which keyterms there is room for, and how the recogniser is told."""

from __future__ import annotations

import pytest

from voice_service.sessions.keyterms import Keyterms, fitting


def test_terms_are_kept_in_their_order_without_blanks_and_doubles() -> None:
    """As a client collects them from its catalogue."""
    assert fitting(["root  beer", " ", "Chai", "root beer"]) == Keyterms(("root beer", "Chai"), ())


@pytest.mark.parametrize(
    ("given", "kept", "warning"),
    [
        (["a" * 64, "b" * 65], 1, "keyterms: 1 left out, since they have more than 64 characters"),
        ([f"t{i}" for i in range(53)], 50, "the last 3 left out; there is room for 50"),
        (["chai", "<|endoftext|>"], 1, "keyterms: 1 left out, since the recogniser takes <| for"),
        (["x" * 60 + str(i) for i in range(9)], 6, "the last 3 left out"),
    ],
)
def test_what_there_is_no_room_for_is_left_out_with_a_warning(
    given: list[str], kept: int, warning: str
) -> None:
    """The prompt is short, and the menu needs its part of it."""
    found = fitting(given)
    assert found.terms == tuple(given[:kept])
    assert len(found.warnings) == 1
    assert warning in found.warnings[0]


@pytest.mark.parametrize(
    ("tag", "bias", "prompt"),
    [
        ("en-US", "I would like a tea.", "I would like chai and matcha. I would like a tea."),
        ("es-MX", "", "Quisiera chai y matcha."),
        ("de-DE", "", "chai. matcha."),
    ],
)
def test_the_terms_are_said_before_the_menu(tag: str, bias: str, prompt: str) -> None:
    """As an order where the language is known."""
    assert Keyterms(("chai", "matcha"), ()).before(bias, tag) == prompt
    assert Keyterms((), ()).before(bias, tag) == bias
