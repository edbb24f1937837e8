"""Which reading wins, what is asked where two come close, and what answers settle it."""

from __future__ import annotations

import pytest
from support.conversations import codes, demo_menu, said, short

from voice_service.ordering import Conversation, Heard
from voice_service.ordering.reasons import ReasonCode


@pytest.mark.parametrize(
    ("utterances", "items"),
    [
        (
            ["a cheeseburger and fries", "yes, a cheeseburger and fries"],
            ["1 cheeseburger", "1 french_fries/medium"],
        ),
        (
            ["two chicken wraps", "right, the two chicken wraps and a coke"],
            ["1 coca_cola/medium", "2 chicken_wrap"],
        ),
        (["a coke", "and another coke"], ["2 coca_cola/medium"]),
        (
            ["a chicken wrap", "and a chicken wrap for my daughter too"],
            ["1 chicken_wrap", "1 chicken_wrap"],
        ),
    ],
)
def test_what_the_words_tell_is_not_asked(utterances: list[str], items: list[str]) -> None:
    """An order said again is one order; one more is one more."""
    update = said(demo_menu(), *utterances)
    assert short(update.items) == items
    assert update.status == "confirmed"


def test_one_more_or_the_same_is_asked() -> None:
    """No word tells which is meant, so the guest does; until then nothing is ordered twice."""
    update = said(demo_menu(), "a coke and fries", "a coke")
    assert short(update.items) == ["1 coca_cola/medium", "1 french_fries/medium"]
    assert ReasonCode.AGAIN_OR_SAME in codes(update)
    assert update.status == "needs_staff"


@pytest.mark.parametrize(
    ("answer", "items"),
    [
        ("the same one", ["1 coca_cola/medium"]),
        ("no, just one", ["1 coca_cola/medium"]),
        ("one more please", ["2 coca_cola/medium"]),
        ("another one", ["2 coca_cola/medium"]),
    ],
)
def test_the_answer_settles_it(answer: str, items: list[str]) -> None:
    """In the words of the question, or as people say it."""
    update = said(demo_menu(), "a coke", "a coke", answer)
    assert short(update.items) == items
    assert update.status == "confirmed"


def test_what_is_asked_can_be_undone_without_harm() -> None:
    """ "Undo that" takes back what may have been one more, not what was there before."""
    conversation = Conversation(demo_menu())
    conversation.hear(Heard(1, "a coke", 1.0))
    conversation.hear(Heard(2, "a coke", 1.0))
    assert short(conversation.hear(Heard(3, "undo that", 1.0)).items) == ["1 coca_cola/medium"]


def test_an_update_says_why_a_reading_was_taken() -> None:
    """The readings add up, the likeliest first, with what spoke for and against each."""
    conversation = Conversation(demo_menu())
    first = conversation.hear(Heard(1, "a coke", 0.95))
    assert [(r.name, r.probability, r.taken) for r in first.readings] == [("as_said", 1.0, True)]
    again = conversation.hear(Heard(2, "a coke", 0.95))
    chances = [reading.probability for reading in again.readings]
    assert chances == sorted(chances, reverse=True)
    assert 0.95 < sum(chances) <= 1.001
    [taken] = [reading for reading in again.readings if reading.taken]
    assert taken.name == "restated"
    signs = {sign.feature: sign.weight for sign in taken.because}
    assert signs["identical"] > 0
    assert signs["bias"] < 0
    [plain] = [reading for reading in again.readings if reading.name == "as_said"]
    assert plain.because == ()
