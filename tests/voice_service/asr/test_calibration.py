"""The map from the decoder's probabilities to shares of right words, for all parameters."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from voice_service.asr.calibration import RAW, Calibration
from voice_service.asr.hypothesis import Hypothesis, Word

calibrations = st.builds(
    Calibration,
    slope=st.floats(0, 10, exclude_min=True),
    offset=st.floats(-10, 10),
)
probabilities = st.floats(0, 1)


@given(calibrations, probabilities)
def test_a_calibrated_value_is_a_probability(calibration: Calibration, probability: float) -> None:
    """At the ends as well, where a logit would be infinite, and a little beyond them."""
    assert 0 <= calibration(probability) <= 1
    assert calibration(math.nextafter(1, 2)) == 1
    assert calibration(-0.0) == 0


@given(calibrations, probabilities, probabilities)
def test_a_surer_word_stays_the_surer_one(calibration: Calibration, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert calibration(low) <= calibration(high) + 1e-12


@given(probabilities)
def test_a_model_without_calibration_tells_what_its_decoder_says(probability: float) -> None:
    """To the last digit."""
    assert RAW(probability) == probability


def test_slope_and_offset_act_on_the_odds() -> None:
    """Half the slope takes the root of the odds, an offset of log 2 doubles them."""
    assert Calibration(slope=0.5)(0.9) == pytest.approx(0.75)
    assert Calibration(offset=math.log(2))(0.5) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "parameters",
    [{"slope": 0}, {"slope": -1}, {"slope": math.nan}, {"offset": math.inf}, {"ofset": 0.1}],
)
def test_parameters_that_make_no_sense_are_refused(parameters: dict[str, float]) -> None:
    """A slope below 0 would call the surest words the least sure."""
    with pytest.raises(ValidationError):
        Calibration.model_validate(parameters)


@given(calibrations, st.lists(probabilities, max_size=5), probabilities)
def test_a_text_is_as_sure_as_its_words_on_average(
    calibration: Calibration, sure: list[float], whole: float
) -> None:
    """That is the share of its words that is expected to be right; without words, its own."""
    words = tuple(Word("w", 0, 1, confidence) for confidence in sure)
    heard = Hypothesis("w " * len(sure), whole, words, calibration=calibration).calibrated()
    expected = [calibration(confidence) for confidence in sure or [whole]]
    assert [word.confidence for word in heard.words] == (expected if sure else [])
    assert heard.confidence == pytest.approx(sum(expected) / len(expected))
