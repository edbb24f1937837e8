"""Speech starts and ends: by example, and for any sequence of probabilities."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from voice_service.utterances.endpointing import (
    Endpointer,
    EndpointEvent,
    EndpointSettings,
    SpeechEnded,
    SpeechStarted,
)

SETTINGS = EndpointSettings(
    onset=0.5,
    offset=0.3,
    confirm=3,
    hangover=10,
    short_hangover=4,
    soft_limit=40,
    hard_limit=60,
    cut_window=20,
)
SPEECH, PAUSE = 0.9, 0.1

all_settings = st.builds(
    EndpointSettings,
    onset=st.floats(0.3, 0.9),
    offset=st.floats(0.05, 0.3),
    confirm=st.integers(1, 5),
    hangover=st.integers(2, 12),
    short_hangover=st.integers(1, 4),
    soft_limit=st.integers(5, 20),
    hard_limit=st.integers(20, 40),
    cut_window=st.integers(1, 30),
)
probabilities = st.lists(
    st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.3, 0.5, 1.0])), max_size=250
)


def run(endpointer: Endpointer, *parts: tuple[float, int]) -> list[EndpointEvent]:
    """Push stretches of constant probability; return the events."""
    return [e for p, count in parts for _ in range(count) for e in endpointer.push(p)]


@given(
    all_settings,
    probabilities,
    st.lists(st.integers(0, 250), max_size=5),
    st.dictionaries(st.integers(0, 250), st.integers(1, 20), max_size=8),
)
def test_events_alternate_and_never_go_back_for_any_probabilities(
    settings: EndpointSettings, sequence: list[float], cuts: list[int], waits: dict[int, int]
) -> None:
    """Starts and ends alternate, and none comes before its predecessor, wherever it is cut."""
    endpointer = Endpointer(settings)
    events: list[EndpointEvent] = []
    for at, probability in enumerate(sequence):
        events += endpointer.push(probability)
        if at in cuts:
            events += endpointer.cut(at - 2)
        if at in waits:
            events += endpointer.override_hangover(waits[at])
        assert endpointer.position == at + 1
        assert (endpointer.started is not None) == bool(
            events and isinstance(events[-1], SpeechStarted)
        )
        if endpointer.started is not None:
            assert endpointer.position - endpointer.started <= settings.hard_limit
    events += endpointer.flush()
    kinds = [type(event) for event in events]
    assert kinds == [SpeechStarted, SpeechEnded] * (len(events) // 2)
    places = [event.at for event in events]
    assert places == sorted(places)
    assert all(0 <= place <= len(sequence) for place in places)
    assert all(end.at > start.at for start, end in zip(events[::2], events[1::2], strict=True))
    for end, start in zip(events[1::2], events[2::2], strict=False):
        assert isinstance(start, SpeechStarted)
        assert not start.resumed or start.at == end.at


@given(st.lists(st.tuples(st.integers(3, 30), st.integers(11, 40)), min_size=1, max_size=6))
def test_every_stretch_of_speech_between_pauses_is_one_utterance(
    stretches: list[tuple[int, int]],
) -> None:
    """With clear speech and clear pauses, the boundaries are found exactly."""
    endpointer, expected, at = Endpointer(SETTINGS), [], 0
    events: list[EndpointEvent] = []
    for speech, pause in stretches:
        events += run(endpointer, (SPEECH, speech), (PAUSE, pause))
        expected += [SpeechStarted(at), SpeechEnded(at + speech)]
        at += speech + pause
    assert events == expected


def test_less_speech_than_confirm_is_no_utterance() -> None:
    """A click is not a word."""
    assert run(Endpointer(SETTINGS), (PAUSE, 5), (SPEECH, 2), (PAUSE, 5), (SPEECH, 2)) == []


def test_speech_starts_where_it_began_not_where_it_was_confirmed() -> None:
    """The first sound belongs to the first word."""
    assert run(Endpointer(SETTINGS), (PAUSE, 7), (SPEECH, 3)) == [SpeechStarted(7)]


def test_a_pause_shorter_than_the_hangover_stays_inside_the_utterance() -> None:
    """People think while they order."""
    endpointer = Endpointer(SETTINGS)
    events = run(endpointer, (SPEECH, 5), (PAUSE, 9), (SPEECH, 5), (PAUSE, 10))
    assert events == [SpeechStarted(0), SpeechEnded(19)]


def test_pause_counts_frames_since_the_last_speech() -> None:
    """Speculation is planned by it."""
    endpointer = Endpointer(SETTINGS)
    assert endpointer.pause == 0
    run(endpointer, (SPEECH, 5), (PAUSE, 4))
    assert endpointer.pause == 4
    run(endpointer, (SPEECH, 1))
    assert endpointer.pause == 0
    run(endpointer, (PAUSE, 10))
    assert endpointer.pause == 0


def test_between_offset_and_onset_speech_goes_on_but_does_not_begin() -> None:
    """Hysteresis: a soft ending is still speech, a soft noise never starts it."""
    assert run(Endpointer(SETTINGS), (0.4, 50)) == []
    endpointer = Endpointer(SETTINGS)
    events = run(endpointer, (SPEECH, 5), (0.4, 20), (PAUSE, 10))
    assert events == [SpeechStarted(0), SpeechEnded(25)]


def test_quiet_speech_ends_a_pause() -> None:
    """Speech at `offset` not only continues but also resumes: telephone speech is less certain."""
    endpointer = Endpointer(SETTINGS)
    events = run(endpointer, (SPEECH, 5), (PAUSE, 3), (0.4, 7), (PAUSE, 10))
    assert events == [SpeechStarted(0), SpeechEnded(15)]


def test_the_hangover_of_a_pause_can_be_shortened_or_lengthened() -> None:
    """The words so far decide how long silence must last."""
    for hangover in (6, 15):
        endpointer = Endpointer(SETTINGS)
        run(endpointer, (SPEECH, 5), (PAUSE, 4))
        assert endpointer.override_hangover(hangover) == []
        assert run(endpointer, (PAUSE, hangover - 5)) == []
        assert run(endpointer, (PAUSE, 1)) == [SpeechEnded(5)]


def test_a_shortened_hangover_that_has_passed_ends_the_utterance_at_once() -> None:
    """Without another frame."""
    endpointer = Endpointer(SETTINGS)
    run(endpointer, (SPEECH, 5), (PAUSE, 7))
    assert endpointer.override_hangover(6) == [SpeechEnded(5)]
    assert endpointer.started is None


def test_an_overridden_hangover_applies_to_one_pause_only() -> None:
    """The next pause comes after other words."""
    endpointer = Endpointer(SETTINGS)
    run(endpointer, (SPEECH, 5), (PAUSE, 2))
    endpointer.override_hangover(4)
    assert run(endpointer, (SPEECH, 1), (PAUSE, 9)) == []
    assert run(endpointer, (PAUSE, 1)) == [SpeechEnded(8)]


def test_outside_a_pause_a_hangover_cannot_be_overridden() -> None:
    """A judgement that arrives when speech goes on, or is over, is too late."""
    endpointer = Endpointer(SETTINGS)
    assert endpointer.override_hangover(1) == []
    run(endpointer, (SPEECH, 5))
    assert endpointer.override_hangover(1) == []
    assert run(endpointer, (PAUSE, 9)) == []


def test_a_long_utterance_does_not_wait_longer() -> None:
    """Beyond the soft limit, the short hangover applies, whatever was said."""
    endpointer = Endpointer(SETTINGS)
    run(endpointer, (SPEECH, 41), (PAUSE, 1))
    endpointer.override_hangover(15)
    assert run(endpointer, (PAUSE, 3)) == [SpeechEnded(41)]


def test_a_long_utterance_ends_at_a_shorter_pause() -> None:
    """Beyond the soft limit a breath is enough, so the final does not wait for the end."""
    endpointer = Endpointer(SETTINGS)
    events = run(endpointer, (SPEECH, 41), (PAUSE, 4))
    assert events == [SpeechStarted(0), SpeechEnded(41)]


def test_at_the_hard_limit_it_is_cut_at_the_quietest_recent_frame() -> None:
    """A cut between words costs less than one through a word; speech continues after it."""
    endpointer = Endpointer(SETTINGS)
    events = run(endpointer, (SPEECH, 50), (0.55, 1), (SPEECH, 9))
    assert events == [SpeechStarted(0), SpeechEnded(51), SpeechStarted(51, resumed=True)]
    assert run(endpointer, (PAUSE, 10)) == [SpeechEnded(60)]


def test_the_cut_looks_back_no_further_than_its_window() -> None:
    """A quiet moment long ago would leave too much for the next utterance."""
    endpointer = Endpointer(replace(SETTINGS, cut_window=5))
    events = run(endpointer, (SPEECH, 20), (0.4, 1), (SPEECH, 36), (0.6, 1), (SPEECH, 2))
    assert events[1] == SpeechEnded(58)


def test_cut_ends_the_utterance_in_progress_and_begins_the_next_there() -> None:
    """The way to end an utterance when the detector hears no end."""
    endpointer = Endpointer(SETTINGS)
    run(endpointer, (SPEECH, 30))
    assert endpointer.cut(12) == [SpeechEnded(12), SpeechStarted(12, resumed=True)]
    assert endpointer.started == 12


def test_cut_stays_inside_the_utterance() -> None:
    """Neither before its first frame nor in the future."""
    endpointer = Endpointer(SETTINGS)
    run(endpointer, (PAUSE, 10), (SPEECH, 10))
    assert endpointer.cut(3)[0] == SpeechEnded(11)
    assert endpointer.cut(999)[0] == SpeechEnded(19)
    assert endpointer.cut(999) == []


def test_cut_between_utterances_does_nothing() -> None:
    """There is nothing to end."""
    endpointer = Endpointer(SETTINGS)
    run(endpointer, (PAUSE, 10))
    assert endpointer.cut(5) == []


def test_flush_ends_an_utterance_with_its_last_speech() -> None:
    """The stream may stop in the middle of a word or of a pause."""
    endpointer = Endpointer(SETTINGS)
    run(endpointer, (SPEECH, 8), (PAUSE, 3))
    assert endpointer.flush() == [SpeechEnded(8)]
    assert endpointer.flush() == []
    assert run(endpointer, (SPEECH, 3)) == [SpeechStarted(11)]
