"""The real model's answers to speech, silence, noise and too much audio."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from support.recordings import normal, recording, sidecar, silence, wer
from support.voice_server import tiny

from voice_service.asr.hypothesis import DecodeRequest, Hypothesis, Retry
from voice_service.asr.recognizer import THOROUGH, Recognizer
from voice_service.ordering import CompiledMenu
from voice_service.server import demo_menu


def decode(
    recognizer: Recognizer, name: str, *, thorough: bool = True, bias: str = ""
) -> Hypothesis:
    return alone(recognizer, DecodeRequest(recording(name), "en", thorough, bias))


def alone(recognizer: Recognizer, request: DecodeRequest) -> Hypothesis:
    [hypothesis] = recognizer.decode([request])
    return hypothesis


@pytest.mark.parametrize("thorough", [False, True])
@pytest.mark.parametrize("name", ["one_item", "modifiers", "british_coffee"])
def test_a_recording_is_understood(recognizer: Recognizer, name: str, thorough: bool) -> None:
    """Both kinds of decode, several voices."""
    heard = decode(recognizer, name, thorough=thorough)
    assert wer(sidecar(name)["text"], heard.text) <= 0.15
    assert 0.5 < heard.confidence <= 1


def test_words_have_times_in_order_inside_the_audio_and_make_up_the_text(
    recognizer: Recognizer,
) -> None:
    """Clients highlight words as they play."""
    first, *_, last = sidecar("correct_size")["utterances"]
    audio = recording("correct_size")[: 16 * (last["end_ms"] + 200)]
    heard = alone(recognizer, DecodeRequest(audio, "en", thorough=True))
    assert " ".join(word.text for word in heard.words) == heard.text
    ends = [0, *(word.end_ms for word in heard.words)]
    for before, word in zip(ends, heard.words, strict=False):
        assert 0 <= word.start_ms <= word.end_ms
        assert word.end_ms >= before
        assert 0 <= word.confidence <= 1
    assert heard.words[0].end_ms >= first["start_ms"]
    assert ends[-1] <= len(audio) / 16
    assert abs(ends[-1] - last["end_ms"]) < 600


def test_honest_repeats_are_kept(recognizer: Recognizer) -> None:
    """The guard against loops must not drop what was really said twice."""
    heard = decode(recognizer, "honest_repeats")
    assert wer(sidecar("honest_repeats")["text"], heard.text) <= 0.12


def test_the_menu_adds_no_words_to_a_short_utterance(recognizer: Recognizer) -> None:
    """After a long prompt, the window for finals writes this one twice; a full one does not."""
    bias = CompiledMenu(demo_menu()).bias
    [spoken] = sidecar("one_more")["utterances"]
    answers = []
    for before_ms, after_ms in ((320, 192), (320, 300), (200, 192), (200, 300)):
        first, last = spoken["start_ms"] - before_ms, spoken["end_ms"] + after_ms
        audio = recording("one_more")[16 * first : 16 * last]
        answers.append(alone(recognizer, DecodeRequest(audio, "en", thorough=True, bias=bias)))
    assert any(Retry.DOUBT in heard.retries for heard in answers)
    assert {normal(heard.text) for heard in answers} == {normal(spoken["text"])}


def test_words_that_do_not_fit_into_the_time_are_heard_without_the_menu(
    recognizer: Recognizer,
) -> None:
    """The time is made too short here; the words were said, so they are heard again."""
    bias = CompiledMenu(demo_menu()).bias
    request = DecodeRequest(recording("one_item"), "en", True, bias, speech_s=0.1)
    heard = alone(recognizer, request)
    assert heard.retries == (Retry.DOUBT, Retry.PROMPT)
    assert wer(sidecar("one_item")["text"], heard.text) <= 0.15


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.1, 0.5, 3.0, 20.0])
def test_silence_is_nothing(recognizer: Recognizer, seconds: float) -> None:
    """Whisper is known to hear thanks and applause in silence."""
    for thorough in (False, True):
        heard = alone(recognizer, DecodeRequest(silence(seconds), "en", thorough))
        assert heard.text == "" or heard.confidence < 0.35


@pytest.mark.parametrize("name", ["noise_kitchen", "noise_traffic"])
def test_noise_is_nothing_or_doubted(recognizer: Recognizer, name: str) -> None:
    """Any text that gets through must be unsure enough to be discarded later."""
    heard = decode(recognizer, name)
    assert heard.text == "" or heard.confidence < 0.35


def test_a_decode_is_repeatable(recognizer: Recognizer) -> None:
    """The same audio gives the same words, with the same times and confidences."""
    assert decode(recognizer, "one_item") == decode(recognizer, "one_item")


def test_more_audio_than_the_model_can_hear_is_our_own_mistake(recognizer: Recognizer) -> None:
    """Cutting it off silently would lose words."""
    with pytest.raises(ValueError, match="30 s"):
        alone(recognizer, DecodeRequest(silence(30.1), "en", thorough=False))
    alone(recognizer, DecodeRequest(silence(30.0), "en", thorough=False))


def test_a_very_long_bias_leaves_room_for_the_text(recognizer: Recognizer) -> None:
    """A menu of a thousand items must not break recognition."""
    names = ", ".join(item.name for item in demo_menu().items)
    heard = decode(recognizer, "one_item", bias=", ".join([names] * 30))
    assert normal(heard.text)


def test_without_a_bias_as_many_tokens_may_be_written_as_with_one(
    recognizer: Recognizer,
) -> None:
    """CTranslate2 gives text half of its `max_length`, which a short prompt must not halve."""
    whisper = recognizer.whisper
    spectrogram = whisper.spectrogram(recording("quantities"))[None, :, :1000]
    for bias in ("", "a small coffee and a large tea with two sugars and a muffin " * 3):
        prompt = whisper.prompt("en", bias)
        [found] = whisper.generate(
            whisper.encode(spectrogram, rows_apart=False),
            [prompt],
            beam_size=1,
            no_repeat_ngram=0,
            limit=11,
            hypotheses=1,
        )
        assert len(found.texts[0]) in (11, 12)


def test_another_hypothesis_may_be_chosen(recognizer: Recognizer) -> None:
    """All are offered, most likely first; words and confidence belong to the chosen one."""
    offered: list[list[str]] = []

    def last(texts: Sequence[str], shares: Sequence[float]) -> tuple[int, float]:
        offered.append(list(texts))
        assert len(shares) == len(texts)
        assert sum(shares) == pytest.approx(1.0)
        return len(texts) - 1, shares[-1]

    request = DecodeRequest(recording("traffic_5db"), "en", thorough=True, choose=last)
    heard = alone(recognizer, request)
    [texts] = offered
    assert len(set(texts)) > 1
    assert heard.text == texts[-1] != texts[0]
    assert 0.0 < heard.agreement < 0.5
    assert " ".join(word.text for word in heard.words) == heard.text
    assert alone(recognizer, replace(request, choose=None)).text == texts[0]


def test_threads_may_decode_at_once(recognizer: Recognizer) -> None:
    """Each thread gets the answer to its own request."""
    names = ["one_item", "modifiers", "sizes", "quantities"]
    answers: dict[str, str] = {}

    def work(name: str) -> None:
        answers[name] = decode(recognizer, name).text

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(wer(sidecar(name)["text"], answers[name]) <= 0.15 for name in names)


def test_an_english_model_knows_english_only(recognizer: Recognizer) -> None:
    """UNSUPPORTED_LANGUAGE depends on it."""
    assert recognizer.languages == recognizer.whisper.languages == {"en"}
    assert not recognizer.whisper.multilingual


def test_audio_may_be_read_only_and_is_not_changed(recognizer: Recognizer) -> None:
    """Sessions hand out views of their own buffers."""
    audio = np.array(recording("one_item"))
    before = audio.copy()
    audio.flags.writeable = False
    alone(recognizer, DecodeRequest(audio, "en", thorough=True))
    np.testing.assert_array_equal(audio, before)


@pytest.fixture(scope="module")
def batching() -> Recognizer:
    """tiny.en with rounded encoder windows, as used for batches."""
    return tiny(batch_size=2)


def request(name: str, *, thorough: bool = True, bias: str = "") -> DecodeRequest:
    return DecodeRequest(recording(name), "en", thorough, bias)


def assert_same(together: Hypothesis, alone: Hypothesis) -> None:
    """Assert the same words at the same times, with the same confidence up to rounding."""
    assert together.text == alone.text
    assert together.confidence == pytest.approx(alone.confidence, abs=1e-3)
    for ours, theirs in zip(together.words, alone.words, strict=True):
        assert ours == replace(theirs, confidence=ours.confidence)
        assert ours.confidence == pytest.approx(theirs.confidence, abs=1e-3)


@pytest.mark.parametrize("thorough", [False, True])
def test_an_answer_does_not_depend_on_who_else_is_in_the_batch(
    batching: Recognizer, thorough: bool
) -> None:
    """Texts of several lengths, including silence, with prompts of two lengths."""
    biased = {"one_item": "a tea", "modifiers": "one large mocha with whipped cream", "sizes": ""}
    assert len({batching.prompt_length("en", bias) for bias in biased.values()}) == 2
    requests = [
        DecodeRequest(recording(name), "en", thorough, bias) for name, bias in biased.items()
    ]
    requests.append(DecodeRequest(recording("kitchen_20db"), "en", thorough, "a small tea"))
    requests.insert(2, DecodeRequest(silence(2.0), "en", thorough))
    together = batching.decode(requests)
    assert together[2].text == "" or together[2].confidence < 0.35
    for found, request in zip(together, requests, strict=True):
        assert_same(found, alone(batching, request))


def test_an_answer_says_how_many_requests_shared_its_pass(batching: Recognizer) -> None:
    """Longer audio needs another encoder window, so it is decoded alone."""
    requests = [DecodeRequest(silence(seconds), "en", thorough=False) for seconds in (1, 20, 2)]
    assert [answer.batch_size for answer in batching.decode(requests)] == [2, 1, 2]


def test_words_are_timed_alike_beside_others_whose_audio_is_as_long(batching: Recognizer) -> None:
    """Otherwise CTranslate2 would take the padding of the shorter texts into account."""
    spoken = [recording(name) for name in ("one_item", "modifiers", "sizes")]
    requests = [
        DecodeRequest(np.append(audio, silence(4.0))[:64_000], "en", thorough=True)
        for audio in spoken
    ]
    for found, request in zip(batching.decode(requests), requests, strict=True):
        assert_same(found, alone(batching, request))


def test_prompts_of_many_menus_have_one_length_and_their_own_words(batching: Recognizer) -> None:
    """The filling comes first, so that the decoder continues from the end of the bias."""
    short, long = "a small latte", "I would like a small latte and a large mocha with oat milk"
    prompts = [batching.whisper.prompt("en", bias) for bias in (short, long)]
    assert {len(prompt) for prompt in prompts} == {1 + 32 + 1}
    for bias, prompt in zip((short, long), prompts, strict=True):
        assert batching.whisper.text("en", prompt[1:-1]).endswith(bias)
    assert batching.prompt_length("en", "") == 1


def test_a_request_that_loops_is_tried_again_without_the_others(
    batching: Recognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of tokens is lowered so that only some reach it; their text would be cut off."""
    monkeypatch.setattr(batching, "thorough", replace(THOROUGH, tokens_per_s=3.0))
    names = ["fast_talker", "slow_talker"]
    requests = [DecodeRequest(recording(name), "en", thorough=True) for name in names]
    for name, found, request in zip(names, batching.decode(requests), requests, strict=True):
        assert_same(found, alone(batching, request))
        assert wer(sidecar(name)["text"], found.text) <= 0.2


def test_each_guest_has_a_chooser_of_its_own(batching: Recognizer) -> None:
    """One takes the least likely text, the other has no choice."""
    request = DecodeRequest(recording("traffic_5db"), "en", thorough=True)
    picky = replace(request, choose=lambda texts, _: (len(texts) - 1, 1.0))
    together = batching.decode([picky, request])
    assert together[0].text != together[1].text
    for found, one in zip(together, [picky, request], strict=True):
        assert_same(found, alone(batching, one))
