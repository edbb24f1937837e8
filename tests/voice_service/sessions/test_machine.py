"""The session as a state machine, with real audio decoding, listener and conversation, but no
clock.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from order_events.protocol.messages import ErrorCode, ProtocolError
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.audio.containers import ContainerDecoder
from voice_service.audio.formats import AudioDecoder, AudioFormat, PcmDecoder
from voice_service.audio.intake import IntakeSettings
from voice_service.commands.pacing import pcm
from voice_service.ordering import CompiledMenu, Conversation
from voice_service.server import demo_menu
from voice_service.sessions.actions import Action, Audience, PlaceOrder, Send, SendError
from voice_service.sessions.machine import STOPPING, Phase, VoiceSession
from voice_service.sessions.pipeline import SessionPipeline
from voice_service.sessions.talk import Talk
from voice_service.settings import VoiceSettings
from voice_service.speech.prompts import Prompts
from voice_service.utterances.listener import Listener
from voice_service.utterances.turn_end import by_marks

CHUNK = 1_600
"""Samples of a chunk: 100 ms."""
MENU = CompiledMenu(demo_menu())
SETTINGS = replace(
    VoiceSettings().session(),
    intake=IntakeSettings(capacity=8, gap_patience=1.5, max_backlog=5.0, max_speed=8.0),
    stall=3.0,
    idle=60.0,
    resume_window=30.0,
)


class Loudness:
    """A detector that takes whatever is loud for speech."""

    def probability(self, frame: NDArray[np.float32]) -> float:
        return float(np.abs(frame).max() > 0.1)


def sound(seconds: float) -> NDArray[np.float32]:
    return np.full(round(seconds * 16_000), 0.5, np.float32)


def quiet(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * 16_000), np.float32)


def said(text: str) -> Hypothesis:
    return Hypothesis(text, 0.9)


class Guest:
    """A session, its client and its recogniser; time is `now`."""

    def __init__(
        self,
        *texts: str,
        order: bool = True,
        sends: AudioFormat | None = None,
        decoder: AudioDecoder | None = None,
        language: str = "en-US",
        talks: bool = False,
    ) -> None:
        self.decoder = decoder or PcmDecoder(sends or AudioFormat())
        conversation = Conversation(MENU) if order else None
        judge = by_marks if conversation is None else conversation.ending
        self.session = VoiceSession(
            session_id="s1",
            language=language,
            settings=SETTINGS,
            pipeline=SessionPipeline(
                self.decoder,
                Listener(VoiceSettings().listener(), Loudness(), "en", "", judge),
                conversation,
                Talk(Prompts(MENU.language.texts) if talks else None, language, aloud=True),
            ),
            now=0.0,
        )
        self.now = 0.0
        self.actions: list[Action] = []
        self.requests: list[DecodeRequest] = []
        self._texts: Iterator[str] = iter(texts)
        self._sequence = 0
        self.recognising = True
        self.sure = 0.9
        self.heard_in = ""

    def send(self, samples: NDArray[np.float32], *, sequence: int | None = None) -> list[Action]:
        """Send samples in chunks, each when it is due; recognition takes no time."""
        told: list[Action] = []
        for i in range(0, len(samples), CHUNK):
            self._sequence = self._sequence + 1 if sequence is None else sequence
            self.now += 0.1
            told += self.chunk(self._sequence, samples[i : i + CHUNK])
        return told

    def chunk(self, sequence: int, samples: NDArray[np.float32]) -> list[Action]:
        return self.raw(sequence, base64.b64encode(pcm(samples)).decode())

    def raw(self, sequence: int, text: str) -> list[Action]:
        return self.kept(self.session.audio(sequence, text, self.now))

    def end(self) -> list[Action]:
        return self.kept(self.session.end(self.now))

    def later(self, seconds: float) -> list[Action]:
        self.now += seconds
        return self.kept(self.session.on_timer(self.now))

    def kept(self, actions: list[Action]) -> list[Action]:
        told = list(actions)
        while self.recognising and self.session.next_decode() is not None:
            self.requests.append(self.session.start_decode())
            thorough = self.requests[-1].thorough
            answer = Hypothesis("", 0.0)
            if thorough:
                text = next(self._texts, "")
                answer = Hypothesis(text, self.sure, language=self.heard_in)
            told += self.session.decoded(answer, self.now)
        self.actions += told
        for place in [a for a in told if isinstance(a, PlaceOrder)]:
            told += self.kept(self.session.order_placed({"id": "o1"}, place.update, self.now))
        return told


def sends(actions: list[Action], type_: str) -> list[Send]:
    return [a for a in actions if isinstance(a, Send) and a.type == type_]


def finals(actions: list[Action]) -> list[dict[str, Any]]:
    transcripts = sends(actions, "voice:transcript")
    return [dict(t.data) for t in transcripts if t.data["is_final"]]


def errors_in(actions: list[Action]) -> list[ProtocolError]:
    return [a.error for a in actions if isinstance(a, SendError)]


@pytest.mark.parametrize(
    ("text", "still", "over"),
    [("a cheeseburger", 0.2, 0.4), ("well", 0.4, 0.6), ("a cheeseburger and a", 0.8, 1.0)],
)
def test_the_order_decides_how_long_a_pause_is_waited_for(
    text: str, still: float, over: float
) -> None:
    """A complete order is final soon, half of one only if nothing more comes."""
    for pause, told in ((still, 0), (over, 1)):
        guest = Guest(text)
        guest.send(np.concatenate([quiet(1), sound(1), quiet(pause)]))
        assert len(finals(guest.actions)) == told


def test_speech_becomes_a_final_an_order_and_an_answer() -> None:
    """One utterance all the way, with its events in order."""
    guest = Guest("can i get a cheeseburger")
    guest.send(np.concatenate([quiet(1), sound(1), quiet(1)]))
    guest.end()
    told = [a for a in guest.actions if isinstance(a, Send)]
    partials = [a for a in told if a.data.get("is_final") is False]
    assert [a.type for a in told if a not in partials] == [
        "voice:speech_started",
        "voice:end_likely",
        "voice:speech_ended",
        "voice:transcript",
        "voice:order",
        "voice:order",
        "voice:end",
    ]
    [final] = finals(guest.actions)
    assert final["text"] == "can i get a cheeseburger"
    [answer] = sends(guest.actions, "voice:end")
    assert answer.data == {
        "session_id": "s1",
        "duration": 3.0,
        "audio_ms": 3_000,
        "utterances": 1,
        "order_id": "o1",
    }
    assert guest.session.phase is Phase.ENDED


def test_who_is_told_what() -> None:
    """Finals and orders go into history, partials to staff who watch, the rest to the client."""
    guest = Guest("a cheeseburger")
    guest.send(np.concatenate([sound(1), quiet(1)]))
    guest.end()
    audiences = {a.type: a.audience for a in guest.actions if isinstance(a, Send)}
    assert audiences["voice:transcript"] is Audience.STAFF
    assert audiences["voice:order"] is Audience.STAFF
    assert audiences["voice:speech_started"] is Audience.CLIENT
    assert audiences["voice:end"] is Audience.CLIENT


def test_what_is_overheard_is_told_as_such_and_orders_nothing() -> None:
    """A faint voice behind the guest, recognised with low confidence."""
    guest = Guest("a cheeseburger", "two colas")
    guest.send(np.concatenate([sound(1), quiet(1)]))
    guest.sure = 0.6
    guest.send(np.concatenate([0.3 * sound(1), quiet(1)]))
    guest.end()
    assert [(f["text"], f["overheard"]) for f in finals(guest.actions)] == [
        ("a cheeseburger", False),
        ("two colas", True),
    ]
    ordered = [a.update for a in guest.actions if isinstance(a, PlaceOrder)][-1]
    assert [item.menu_item_id for item in ordered.items] == ["cheeseburger"]


def test_an_allergy_is_noted_though_it_was_overheard() -> None:
    """Nothing that staff must know is lost because somebody spoke quietly."""
    guest = Guest("a cheeseburger", "i am allergic to peanuts, take off the cheeseburger")
    guest.send(np.concatenate([sound(1), quiet(1)]))
    guest.sure = 0.8
    guest.send(np.concatenate([0.3 * sound(1), quiet(1)]))
    guest.end()
    assert [f["overheard"] for f in finals(guest.actions)] == [False, True]
    ordered = [a.update for a in guest.actions if isinstance(a, PlaceOrder)][-1]
    assert [item.menu_item_id for item in ordered.items] == ["cheeseburger"]
    assert ordered.status == "needs_staff"
    assert "allergy" in [reason.code for reason in ordered.reasons]


def test_finalize_is_answered_by_the_final_of_what_is_being_said() -> None:
    """Also if speech goes on at once; the words after it are an utterance of their own."""
    guest = Guest("a cheeseburger", "two colas", order=False)
    guest.send(sound(1))
    told = guest.kept(guest.session.finalize(guest.now, "f1"))
    [final] = [s for s in sends(told, "voice:transcript") if s.data["is_final"]]
    assert (final.data["text"], final.id) == ("a cheeseburger", "f1")
    assert sends(told, "voice:speech_ended")
    guest.send(np.concatenate([sound(1), quiet(1)]))
    assert [f["text"] for f in finals(guest.actions)] == ["a cheeseburger", "two colas"]


def test_finalize_waits_for_the_final_that_is_due() -> None:
    """The utterance has just ended by itself; nothing of it is lost, and it answers once."""
    guest = Guest("a cheeseburger", order=False)
    guest.recognising = False
    guest.send(np.concatenate([sound(1), quiet(1)]))
    assert guest.kept(guest.session.finalize(guest.now, 1)) == []
    guest.recognising = True
    told = guest.kept(guest.session.finalize(guest.now, 2))
    [final] = [s for s in sends(told, "voice:transcript") if s.data["is_final"]]
    assert final.id == 1
    assert [(s.id, s.data["utterances"]) for s in sends(told, "voice:finalize")] == [(2, 1)]


def test_what_was_no_speech_answers_finalize_as_well() -> None:
    """A door slams while the key is held: there is no final to wait for."""
    guest = Guest("", order=False)
    guest.send(sound(1))
    told = guest.kept(guest.session.finalize(guest.now, "f1"))
    assert [s.id for s in sends(told, "voice:speech_discarded")] == ["f1"]
    assert finals(told) == []


def test_unanswered_finalizes_are_bounded() -> None:
    """A client that repeats it while recognition is busy is told to wait."""
    guest = Guest(order=False)
    guest.recognising = False
    guest.send(sound(1))
    with pytest.raises(ProtocolError) as refused:
        for _ in range(100):
            guest.session.finalize(guest.now)
    assert refused.value.code is ErrorCode.RATE_LIMITED


def test_each_transcript_names_the_language_it_was_heard_in() -> None:
    """By the tag of `voice:start`; the first one where nothing tells."""
    guest = Guest("sí", "hm", "yes", order=False, language="en-US, es-MX")
    for guest.heard_in in ("es", "", "en"):
        guest.send(np.concatenate([sound(1), quiet(1)]))
    assert [f["language"] for f in finals(guest.actions)] == ["es-MX", "en-US", "en-US"]


def test_without_an_order_there_are_transcripts_alone() -> None:
    """`order: off`."""
    guest = Guest("a cheeseburger", order=False)
    guest.send(np.concatenate([sound(1), quiet(1)]))
    guest.end()
    assert not any(isinstance(a, PlaceOrder) for a in guest.actions)
    assert sends(guest.actions, "voice:order") == []
    assert sends(guest.actions, "voice:end")[0].data["order_id"] is None


@pytest.mark.parametrize("bad", ["@@@@", "", "AAA", base64.b64encode(b"123").decode()])
def test_invalid_audio_has_no_effect_and_may_be_sent_again(bad: str) -> None:
    """The same sequence, repaired, takes its place, even if later chunks have come meanwhile."""
    guest = Guest()
    with pytest.raises(ProtocolError) as refused:
        guest.raw(1, bad)
    assert refused.value.code is ErrorCode.INVALID_AUDIO
    assert refused.value.sequence == 1
    guest.chunk(2, quiet(0.1))
    assert guest.session.next_sequence == 1
    guest.chunk(1, quiet(0.1))
    assert guest.session.next_sequence == 3
    assert guest.session.audio_ms == 200
    assert errors_in(guest.actions) == []


def test_a_gap_is_reported_once_and_bridged_with_as_much_silence() -> None:
    """Times after the gap stay correct; the lost sequences are named in text and in a field."""
    guest = Guest()
    guest.chunk(1, quiet(0.1))
    guest.chunk(5, quiet(0.1))
    assert guest.later(1.4) == []
    [error] = errors_in(guest.later(0.11))
    assert error.code is ErrorCode.AUDIO_GAP
    assert error.sequence == 2
    assert "2 to 4" in error.message
    assert guest.session.audio_ms == 500
    assert guest.chunk(3, sound(0.1)) == []
    assert guest.session.audio_ms == 500
    assert errors_in(guest.later(10)) == []


def test_a_gap_in_a_container_is_not_said_to_be_silence() -> None:
    """The length of a lost chunk is unknown; the error says that later times are too early."""
    for decoder, told in (
        (PcmDecoder(AudioFormat()), "silence"),
        (ContainerDecoder("ogg_opus"), "nothing"),
    ):
        guest = Guest(decoder=decoder)
        guest.chunk(2, quiet(0.1))
        error = errors_in(guest.later(1.6))[0]
        assert error.code is ErrorCode.AUDIO_GAP
        assert f"{told} takes its place" in error.message
        guest.session.close()


def test_each_gap_is_reported_by_itself_at_the_end() -> None:
    """`voice:end` waits for nothing: what is missing then stays missing."""
    guest = Guest()
    for sequence in (2, 3, 6):
        guest.chunk(sequence, quiet(0.1))
    errors = errors_in(guest.end())
    assert [(e.code, e.sequence) for e in errors] == [
        (ErrorCode.AUDIO_GAP, 1),
        (ErrorCode.AUDIO_GAP, 4),
    ]
    assert guest.session.audio_ms == 600


def test_a_sequence_from_the_far_future_does_not_fill_the_memory() -> None:
    """A large number must not become a year of silence."""
    guest = Guest()
    guest.chunk(1, quiet(0.1))
    for sequence in (2**53, 2 + SETTINGS.intake.capacity):
        with pytest.raises(ProtocolError) as refused:
            guest.chunk(sequence, quiet(0.1))
        assert refused.value.code is ErrorCode.INVALID_MESSAGE
        assert refused.value.sequence == sequence
    guest.end()
    assert guest.session.audio_ms == 100
    assert errors_in(guest.actions) == []


def test_a_duplicate_is_heard_once() -> None:
    """Chunks that a client sends again after a lost connection are not heard again."""
    guest = Guest()
    for sequence in (1, 2, 2, 1, 3, 3):
        guest.chunk(sequence, quiet(0.1))
    assert guest.session.audio_ms == 300


def test_damage_that_only_decoding_finds_is_reported_and_the_rest_is_heard() -> None:
    """NaN is found before the chunk is put in order, so it can be sent again."""
    guest = Guest(sends=AudioFormat("pcm_f32le"))
    payload = np.array([np.nan] * 100, "<f4").tobytes()
    with pytest.raises(ProtocolError) as refused:
        guest.raw(1, base64.b64encode(payload).decode())
    assert refused.value.code is ErrorCode.INVALID_AUDIO
    guest.raw(1, base64.b64encode(np.zeros(1_600, "<f4").tobytes()).decode())
    assert guest.session.audio_ms == 100


def backlogged() -> Guest:
    """Return a session whose finals wait because recognition has stopped."""
    guest = Guest("a cheeseburger", "a small sprite", "and fries", "and a shake")
    guest.recognising = False
    with pytest.raises(ProtocolError):
        guest.send(np.tile(np.concatenate([sound(2), quiet(1)]), 4))
    return guest


def test_audio_is_refused_while_too_much_waits_and_taken_afterwards_without_a_gap() -> None:
    """The client is told when to try again; refused chunks are not taken for missing."""
    guest = backlogged()
    first = guest.session.next_sequence
    for sequence in range(first, first + 5):
        with pytest.raises(ProtocolError) as refused:
            guest.chunk(sequence, sound(0.1))
        assert refused.value.code is ErrorCode.RATE_LIMITED
        assert refused.value.sequence == sequence
        assert refused.value.retry_after_ms
    assert guest.session.next_sequence == first
    guest.recognising = True
    guest.kept([])
    # A chunk behind the refused ones must not open a gap that their resending would come too late
    # for.
    with pytest.raises(ProtocolError):
        guest.chunk(first + 3, sound(0.1))
    for sequence in range(first, first + 5):
        guest.chunk(sequence, sound(0.1))
    assert guest.session.next_sequence == first + 5
    guest.end()
    assert errors_in(guest.actions) == []
    assert len(finals(guest.actions)) == guest.session._listener.utterances
    assert guest.session.phase is Phase.ENDED


def test_a_stalled_stream_ends_the_utterance_but_not_the_session() -> None:
    """A microphone that stops sending still gets its final, and may continue."""
    guest = Guest("a cheeseburger", "and fries")
    guest.send(sound(1))
    assert guest.session.next_deadline() == pytest.approx(guest.now + 3.0)
    assert [f["text"] for f in finals(guest.later(3.0))] == ["a cheeseburger"]
    assert guest.session.phase is Phase.STREAMING
    guest.send(np.concatenate([sound(1), quiet(1)]))
    assert [f["utterance"] for f in finals(guest.actions)] == [1, 2]


def test_a_client_that_is_told_to_wait_has_not_stalled() -> None:
    """Its utterance goes on and its session is not idle, since it sends again as it was told to."""
    guest = Guest("a cheeseburger", sends=AudioFormat("mulaw", 8_000))
    guest.raw(1, base64.b64encode(bytes(8_000)).decode())
    too_much = base64.b64encode(b"\xff" * 200 * 8_000).decode()
    while guest.now < SETTINGS.idle + 5:
        with pytest.raises(ProtocolError) as refused:
            guest.raw(2, too_much)
        assert refused.value.code is ErrorCode.RATE_LIMITED
        assert guest.later(2.5) == []
    assert guest.session.phase is Phase.STREAMING
    assert sends(guest.later(SETTINGS.stall), "voice:speech_ended")


def test_between_utterances_nothing_stalls() -> None:
    """Silence on the line is no reason to do anything, until the session is idle."""
    guest = Guest()
    guest.send(quiet(1))
    assert guest.session.next_deadline() == pytest.approx(guest.now + 60.0)
    assert guest.later(30) == []


def test_an_idle_session_is_ended_and_its_order_left_to_a_person() -> None:
    """A kiosk session that nobody ends must not hold a place for ever."""
    guest = Guest("a cheeseburger")
    guest.send(np.concatenate([sound(1), quiet(1)]))
    actions = guest.later(60)
    assert sends(actions, "voice:end")
    [order] = sends(actions, "voice:order")
    assert order.data["status"] == "needs_staff"
    assert "no_audio" in [reason["code"] for reason in order.data["reasons"]]


def test_a_detached_session_waits_for_its_window_and_then_ends() -> None:
    """Thirty seconds, counted from the loss of the connection."""
    guest = Guest("a cheeseburger")
    guest.send(np.concatenate([sound(1), quiet(1)]))
    guest.session.detach(guest.now)
    assert not guest.session.attached
    assert guest.session.next_deadline() == pytest.approx(guest.now + 30)
    assert guest.later(29.9) == []
    [order] = sends(guest.later(0.2), "voice:order")
    assert "connection_lost" in [reason["code"] for reason in order.data["reasons"]]
    assert guest.session.phase is Phase.ENDED


def test_a_detached_session_neither_stalls_nor_gives_up_gaps() -> None:
    """The client sends the rest when it is back; until then, nothing is late."""
    guest = Guest("a cheeseburger with bacon")
    guest.send(sound(1))
    guest.chunk(13, sound(0.1))
    guest.session.detach(guest.now)
    assert guest.later(20) == []
    guest.kept(guest.session.attach(0, guest.now))
    assert guest.session.attached
    assert guest.later(1.4) == []
    guest.chunk(11, sound(0.1))
    guest.chunk(12, sound(0.1))
    assert guest.session.next_sequence == 14
    assert errors_in(guest.actions) == []
    assert finals(guest.actions) == []
    guest.end()
    assert [f["text"] for f in finals(guest.actions)] == ["a cheeseburger with bacon"]


def three_finals() -> Guest:
    guest = Guest("a cheeseburger", "a small sprite", "and fries")
    for _ in range(3):
        guest.send(np.concatenate([sound(1), quiet(1)]))
    return guest


@pytest.mark.parametrize(("after", "expected"), [(0, [1, 2, 3]), (1, [2, 3]), (3, []), (9, [])])
def test_resuming_after_an_utterance_sends_the_finals_behind_it(
    after: int, expected: list[int]
) -> None:
    """The client names what it has and gets the rest, once, and only itself."""
    guest = three_finals()
    guest.session.detach(guest.now)
    again = guest.session.attach(after, guest.now + 1)
    assert [f["utterance"] for f in finals(again)] == expected
    assert all(isinstance(a, Send) and a.audience is Audience.CLIENT for a in again)
    assert len(sends(again, "voice:order")) == 1


def test_resuming_without_saying_so_sends_again_what_may_have_been_lost() -> None:
    """A client that does not use `after_utterance` gets what came after its last audio."""
    guest = Guest("a cheeseburger", "a small sprite")
    guest.send(np.concatenate([sound(1), quiet(1)]))
    guest.recognising = False
    guest.send(np.concatenate([sound(1), quiet(1)]))
    guest.session.detach(guest.now)
    guest.recognising = True
    guest.now += 1
    guest.kept([])
    assert [f["utterance"] for f in finals(guest.session.attach(None, guest.now))] == [2]


def test_a_client_that_lost_the_answer_gets_it_again() -> None:
    """The answer to `voice:end` may have gone into a broken connection."""
    guest = three_finals()
    guest.end()
    assert guest.session.phase is Phase.ENDED
    guest.session.detach(guest.now)
    again = guest.session.attach(3, guest.now + 5)
    assert [a.type for a in again if isinstance(a, Send)] == ["voice:order", "voice:end"]


def test_an_ended_session_is_over_when_nobody_can_miss_its_answer() -> None:
    """Its memory is then freed."""
    guest = Guest()
    guest.end()
    assert not guest.session.over(guest.now + 29.9)
    assert guest.session.over(guest.now + 30)
    assert guest.session.next_deadline() == pytest.approx(guest.now + 30)


def test_the_answer_waits_for_finals_and_for_the_order() -> None:
    """Nothing comes after `voice:end` has been answered."""
    guest = Guest("a cheeseburger", order=True)
    guest.recognising = False
    guest.send(sound(1))
    session = guest.session
    assert sends(session.end(guest.now), "voice:end") == []
    assert session.phase is Phase.ENDING
    assert session.next_decode() is not None
    session.start_decode()
    actions = session.decoded(said("a cheeseburger"), guest.now)
    if not finals(actions):
        session.start_decode()
        actions = session.decoded(said("a cheeseburger"), guest.now)
    [place] = [a for a in actions if isinstance(a, PlaceOrder)]
    assert sends(actions, "voice:end") == []
    actions = session.order_placed({"id": "o1"}, place.update, guest.now)
    assert sends(actions, "voice:end") == []
    [close] = [a for a in actions if isinstance(a, PlaceOrder)]
    actions = session.order_placed({"id": "o1"}, close.update, guest.now)
    assert [a.type for a in actions if isinstance(a, Send)] == ["voice:order", "voice:end"]


def test_an_utterance_that_could_not_be_recognised_is_an_internal_error() -> None:
    """The client gets an error as well as the discarded utterance, and the session goes on."""
    guest = Guest()
    guest.recognising = False
    guest.send(np.concatenate([sound(1), quiet(1)]))
    actions: list[Action] = []
    while guest.session.next_decode() is not None:
        guest.session.start_decode()
        actions += guest.session.decoded(None, guest.now)
    assert [e.code for e in errors_in(actions)] == [ErrorCode.INTERNAL]
    assert sends(actions, "voice:speech_discarded")[0].data["reason"] == "failed"
    assert guest.session.phase is Phase.STREAMING


def test_close_is_allowed_at_any_time_and_twice() -> None:
    """A connection can be lost in every phase."""
    guest = Guest()
    guest.session.close()
    guest.session.close()
    guest = Guest()
    guest.end()
    guest.session.close()


def test_an_ending_that_never_comes_is_ended_by_the_clock() -> None:
    """Recognition or the hub may hang, but the client must get its answer, and staff a reason."""
    guest = Guest("a hamburger please")
    guest.recognising = False
    guest.send(np.concatenate([quiet(0.5), sound(1), quiet(0.2)]))
    guest.end()
    assert guest.session.phase is Phase.ENDING
    deadline = guest.session.next_deadline()
    assert deadline is not None
    told = guest.later(deadline - guest.now)
    assert [error.code for error in errors_in(told)] == [ErrorCode.INTERNAL]
    assert len(sends(told, "voice:end")) == 1
    assert guest.session.phase is Phase.ENDED
    assert guest.session.next_decode() is None


def test_a_stop_of_the_server_is_no_end_of_the_order() -> None:
    """Half an order must not be cooked, and the client must come back instead of being finished."""
    guest = Guest("a hamburger please")
    guest.send(np.concatenate([quiet(0.5), sound(1), quiet(1)]))
    told = guest.kept(guest.session.end(guest.now, STOPPING))
    assert not sends(told, "voice:end")
    assert sends(told, "voice:order")[-1].data["status"] == "needs_staff"
    assert guest.session.phase is Phase.ENDED


def test_finals_are_chosen_by_what_the_order_can_explain() -> None:
    """The current conversation picks between hypotheses, for finals and where one is needed."""
    guest = Guest("a cheeseburger", "with no onions")
    utterance = np.concatenate([quiet(0.5), sound(1), quiet(1)])
    texts = ("with no onions", "a hamburger with no onions")
    guest.send(utterance)
    before = [r.choose for r in guest.requests if r.choose is not None]
    guest.send(utterance)
    after = [r.choose for r in guest.requests if r.choose is not None][len(before) :]
    assert {choose(texts, (0.7, 0.3)) for choose in before} == {(1, 0.3)}
    assert {choose(texts, (0.7, 0.3)) for choose in after} == {(0, 0.7)}
    assert all(r.thorough == (r.choose is not None) for r in guest.requests)


def test_a_transcript_without_an_order_is_not_chosen() -> None:
    """Without an order, the most likely text is used."""
    guest = Guest("with no onions", order=False)
    guest.send(np.concatenate([quiet(0.5), sound(1), quiet(1)]))
    assert guest.requests
    assert all(r.choose is None for r in guest.requests)


def test_a_guest_who_goes_on_is_not_talked_over() -> None:
    """What was understood is said once the guest is silent, not into the next words."""
    guest = Guest("a cheeseburger", "and a coke", talks=True)
    guest.send(quiet(0.5))
    guest.send(sound(1.0))
    guest.recognising = False
    guest.send(quiet(1.2))
    guest.send(sound(0.6))
    guest.recognising = True
    first = [a for a in guest.send(sound(0.4)) if isinstance(a, PlaceOrder)]
    order = {"id": "o1"}
    told = [guest.session.order_placed(order, a.update, guest.now) for a in first]
    assert len(told) == 1
    assert [a.type for a in told[0] if isinstance(a, Send)] == ["voice:order"]
    last = [a for a in guest.send(quiet(1.5)) if isinstance(a, PlaceOrder)]
    told = [guest.session.order_placed(order, a.update, guest.now) for a in last]
    assert [a.type for a in told[-1] if isinstance(a, Send)] == ["voice:order", "voice:say"]
