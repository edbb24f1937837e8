"""The judgement behind `benchmarks/confidence.py`: which words are right, and what a fit finds."""

from __future__ import annotations

import numpy as np
import pytest
from reliability import Judged, applied, errors, fit, held_out, judge, judge_slots, reliability
from whisper_normalizer.english import EnglishTextNormalizer

from voice_service.asr.calibration import RAW, Calibration

_NORMALISE = EnglishTextNormalizer()


@pytest.mark.parametrize(
    ("heard", "said", "verdicts"),
    [
        ("A small latte, please.", "a small latte please", [True, True, True, True]),
        ("a tall latte please", "a small latte please", [True, False, True, True]),
        ("a small small latte", "a small latte", [True, None, None, True]),
        ("um two colas", "two colas", [None, True, True]),
        ("twenty one people", "21 people", [True, True, True]),
        ("twenty two people", "21 people", [False, False, True]),
        ("I'm here", "I am here", [True, True]),
        ("I'm here", "I was here", [False, True]),
        ("", "nothing was heard", []),
    ],
)
def test_words_are_right_if_normalised_they_stand_in_the_reference(
    heard: str, said: str, verdicts: list[bool | None]
) -> None:
    """This includes words that normalising splits, joins or drops."""
    found = judge(heard.split(), said, _NORMALISE)
    if heard == "a small small latte":
        # Either of the two may be the superfluous one.
        assert sorted(found[1:3], key=str) == [False, True]
        found[1:3] = [None, None]
    assert found == verdicts


def test_slots_judge_the_words_that_any_slot_has() -> None:
    """A latte that was not asked for was misheard; "please" belongs to no slot."""
    asked, vocabulary = {"small", "latte"}, {"small", "large", "latte", "mocha"}
    words = ["A", "large", "latte,", "please."]
    assert judge_slots(words, asked, vocabulary, _NORMALISE) == [None, False, True, None]


def _words(seed: int, count: int, truth: Calibration, speaker: str = "one") -> list[Judged]:
    """Return words whose chance of being right is what `truth` makes of their probability."""
    random = np.random.default_rng(seed)
    sure = random.beta(4, 1, count)
    return [
        Judged("w", p, bool(random.random() < truth(p)), "final", "set", speaker, "clean")
        for p in sure
    ]


def test_a_fit_finds_the_calibration_that_made_the_words() -> None:
    """With it, the error almost vanishes; without it, it does not."""
    truth = Calibration(slope=0.6, offset=0.5)
    found = fit(_words(1, 20_000, truth))
    assert found.slope == pytest.approx(truth.slope, abs=0.05)
    assert found.offset == pytest.approx(truth.offset, abs=0.05)
    others = _words(2, 20_000, truth)
    assert errors(*applied(found, others)).width < 0.015 < errors(*applied(RAW, others)).width


def test_held_out_words_have_no_share_in_their_own_fit() -> None:
    """A speaker who is hard to understand changes the confidences of others, not their own."""
    clear = _words(3, 2_000, RAW)
    unclear = _words(4, 2_000, Calibration(slope=0.5, offset=-1), speaker="two")
    confidences, right = held_out([*clear, *unclear], lambda word: word.speaker)
    assert confidences[2_000:] == pytest.approx(applied(fit(clear), unclear)[0])
    assert list(right) == [word.right for word in (*clear, *unclear)]


def test_errors_of_a_table_that_can_be_reckoned_by_hand() -> None:
    """Four words in two bins with confidences 0.9 and 0.2, of which half and none are right."""
    confidences, right = np.array([0.9, 0.9, 0.2, 0.2]), np.array([1.0, 0, 0, 0])
    assert [(b.words, b.right) for b in reliability(confidences, right)] == [(2, 0.0), (2, 0.5)]
    found = errors(confidences, right)
    assert found.width == pytest.approx(0.3)
    assert found.brier == pytest.approx((0.01 + 0.81 + 0.04 + 0.04) / 4)
    assert found.mass == pytest.approx((0.1 + 0.9 + 0.2 + 0.2) / 4)
