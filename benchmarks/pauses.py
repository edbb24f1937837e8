"""What a guest's pause is taken for: how soon finals come, and what is torn apart.

    pauses.py --manifest FILE [--try "NAME=VALUE …" …]
    pauses.py --menu MENU.json --data DATA.jsonl --audio DIR [--hesitate 0.6 0.8] [--try …]

Each recording is one stream to the service's listener, in chunks of 100 ms, on a clock that the
benchmark keeps: a decode takes the processor time that it took. So the figures are those of a
machine that does nothing else, and repeat on a busy one. Every `--try` is a set of settings of
`voice-service serve` ("finished_hangover_ms=500 open_hangover_ms=500": a fixed hangover); all are
measured on the same recordings, taking turns.

With a menu (formats of `orders.py`) every recording is an order; right is the order that comes of
its finals, slot by slot. `--hesitate` puts a silence of so many seconds (two numbers: between them)
between two words of each recording, one place per recording, drawn by `--seed`; a line for each way
in which the words before it stand: open, finished, unknown.

Without a menu, right is the share of words: 100 less the word error rate.

split    recordings of which an utterance ended while speech was still to come
silent   recordings without a partial, and without a final; the times are of the others
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import jiwer
import numpy as np
from harness import LEAD, Recording, mixed, percentiles, read_manifest
from orders import EvalMenu, convert
from spoken_orders import Case, meaning, recorded, understood
from whisper_normalizer.english import EnglishTextNormalizer

from voice_service.asr.batching import BatchPolicy
from voice_service.asr.compute import Compute
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.recognizer import Recognizer
from voice_service.asr.whisper import Whisper
from voice_service.audio.formats import SAMPLE_RATE, Samples
from voice_service.models.registry import default_models_dir, resolve
from voice_service.ordering import CompiledMenu, Conversation
from voice_service.sessions.guest_order import GuestOrder
from voice_service.settings import VoiceSettings
from voice_service.utterances import events
from voice_service.utterances.events import Ended, ListenerEvent, Partial
from voice_service.utterances.listener import Listener
from voice_service.utterances.turn_end import by_marks
from voice_service.utterances.vad import DetectorFactory

_CHUNK: Final = SAMPLE_RATE // 10
_NEAR: Final = SAMPLE_RATE * 80 // 1000
"""Samples around a word's beginning in which the quietest place to cut is looked for."""
_STILL_SPEAKING_S: Final = 0.3

Decode = Callable[[DecodeRequest], Hypothesis]


@dataclass(frozen=True)
class Trial:
    """A recording to stream, and what belongs to it; `kind` is the line that it counts in."""

    recording: Recording
    kind: str
    case: Case | None = None


@dataclass
class Figures:
    """What was measured, in seconds."""

    first_partial: list[float] = field(default_factory=list)
    final: list[float] = field(default_factory=list)
    count: int = 0
    split: int = 0
    right: int = 0
    said: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    decoding: float = 0.0
    audio: float = 0.0


class Stream:
    """One session on its own clock; `now` is the time since its first sample."""

    def __init__(
        self, listener: Listener, decode: Decode, conversation: Conversation | None
    ) -> None:
        self.now = 0.0
        self.decoding = 0.0
        self.events_sent: list[tuple[float, ListenerEvent]] = []
        self._listener = listener
        self._decode = decode
        self._order = GuestOrder("", conversation)
        self._answer: tuple[float, Hypothesis] | None = None

    def run(self, samples: Samples) -> None:
        """Stream some audio to its end."""
        for start in range(0, len(samples), _CHUNK):
            chunk = samples[start : start + _CHUNK]
            self._until((start + len(chunk)) / SAMPLE_RATE)
            self._record(self._listener.push(chunk, self.now))
            self._begin()
        self._record(self._listener.flush(self.now))
        self._begin()
        self._until(float("inf"))

    def _until(self, moment: float) -> None:
        while self._answer is not None and self._answer[0] <= moment:
            self.now, hypothesis = self._answer
            self._answer = None
            self._record(self._listener.decoded(hypothesis, self.now))
            self._begin()
        self.now = max(self.now, moment) if moment < float("inf") else self.now

    def _begin(self) -> None:
        if self._answer is not None or self._listener.next_decode() is None:
            return
        request = self._listener.start_decode()
        if request.thorough:
            request = replace(request, choose=self._order.chooser())
        began = time.process_time()
        hypothesis = self._decode(request)
        spent = time.process_time() - began
        self.decoding += spent
        self._answer = (self.now + spent, hypothesis)

    def _record(self, new: Sequence[ListenerEvent]) -> None:
        for event in new:
            self.events_sent.append((self.now, event))
            if isinstance(event, events.Final):
                self._order.hear(event)


class Bench:
    """The recogniser, the detectors and the menu, for any number of streams."""

    def __init__(self, model: str, menu: EvalMenu | None) -> None:
        found = resolve(model, default_models_dir())
        compute = Compute("cpu", "int8", workers=1, batches=BatchPolicy())
        self._recognizer = Recognizer(Whisper(found.location, compute), found.calibration)
        self.menu = menu
        self._compiled = None if menu is None else CompiledMenu(menu.menu)
        self._detectors = DetectorFactory("two-stage", 2)

    def decode(self, request: DecodeRequest) -> Hypothesis:
        """Recognise at once."""
        [hypothesis] = self._recognizer.decode([request])
        return hypothesis

    def conversation(self) -> Conversation | None:
        """Return what keeps the order of one guest, if there is a menu."""
        return None if self._compiled is None else Conversation(self._compiled)

    def stream(self, trial: Trial, settings: VoiceSettings, to: Figures) -> None:
        """Stream a recording and add the results."""
        conversation = self.conversation()
        listener = Listener(
            settings.listener(),
            self._detectors(),
            "en",
            self._compiled.bias if self._compiled is not None else "",
            by_marks if conversation is None else conversation.ending,
        )
        stream = Stream(listener, self.decode, conversation)
        samples = mixed(trial.recording, None, None, 0)
        stream.run(samples)
        to.decoding += stream.decoding
        to.audio += len(samples) / SAMPLE_RATE
        _judge(stream.events_sent, trial.recording, to)
        if conversation is not None and self.menu is not None and trial.case is not None:
            to.right += self._right(conversation, self.menu, trial.case)
        to.said.append(trial.recording.text)
        to.heard.append(
            " ".join(
                e.hypothesis.text for _, e in stream.events_sent if isinstance(e, events.Final)
            )
        )

    def _right(self, conversation: Conversation, menu: EvalMenu, case: Case) -> bool:
        update = conversation.end()
        items = [item.model_dump(mode="json") for item in update.items]
        order: dict[str, Any] = {"order": {"items": items}, "status": update.status}
        lines, _ = understood([(0.0, {"type": "voice:order", "data": order})], menu)
        return meaning(lines, menu) == meaning(case.order, menu)

    def hesitant(self, trial: Trial, seconds: float, rng: random.Random) -> Trial | None:
        """Return the recording with a silence between two of its words; None if it has only one."""
        recording = trial.recording
        whole = self.decode(DecodeRequest(recording.samples, "en", thorough=True))
        if len(whole.words) < 2:
            return None
        at = rng.randrange(1, len(whole.words))
        before = " ".join(word.text for word in whole.words[:at]).rstrip(".,?!")
        conversation = self.conversation()
        ending = by_marks(before) if conversation is None else conversation.ending(before)
        cut = quietest(recording.samples, whole.words[at].start_ms * SAMPLE_RATE // 1000)
        gap = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
        samples = np.concatenate([recording.samples[:cut], gap, recording.samples[cut:]])
        longer = replace(recording, samples=samples, end=recording.end + seconds)
        return Trial(longer, ending.name.lower(), trial.case)


def quietest(samples: Samples, near: int) -> int:
    """Return the middle of the quietest 20 ms around a place."""
    window = SAMPLE_RATE // 50
    places = range(max(0, near - _NEAR), min(len(samples) - window, near + _NEAR), window // 4)
    if not places:
        return near
    return min(places, key=lambda p: float(np.sum(samples[p : p + window] ** 2))) + window // 2


def _judge(
    events_sent: Sequence[tuple[float, ListenerEvent]], recording: Recording, to: Figures
) -> None:
    onset, end = LEAD + recording.onset, LEAD + recording.end
    to.count += 1
    to.split += any(
        isinstance(e, Ended) and onset < e.at_ms / 1000 < end - _STILL_SPEAKING_S
        for _, e in events_sent
    )
    partials = [at for at, e in events_sent if isinstance(e, Partial)]
    finals = [at for at, e in events_sent if isinstance(e, events.Final)]
    to.first_partial += [partials[0] - onset] if partials else []
    to.final += [finals[-1] - end] if finals else []


def _wrong(figures: Figures) -> float:
    normalise = EnglishTextNormalizer()
    return float(
        jiwer.wer([normalise(t) for t in figures.said], [normalise(t) for t in figures.heard])
    )


def settings_of(text: str) -> VoiceSettings:
    """Return the settings in "name=value name=value"."""
    return VoiceSettings.model_validate(dict(pair.split("=", 1) for pair in text.split()))


def trials(arguments: argparse.Namespace, bench: Bench) -> Iterator[Trial]:
    """Return what to stream."""
    rng = random.Random(arguments.seed)
    if arguments.manifest:
        every = read_manifest(arguments.manifest, without=arguments.without)
        plain = [Trial(r, "as recorded") for r in every]
    else:
        text = arguments.data.read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        rows = rng.sample(rows, min(len(rows), arguments.sample))
        plain = [Trial(c.recording, "as recorded", c) for c in recorded(rows, arguments.audio)]
    for trial in rng.sample(plain, min(len(plain), arguments.sample)):
        if not arguments.hesitate:
            yield trial
        elif (made := bench.hesitant(trial, rng.uniform(*arguments.hesitate), rng)) is not None:
            yield made


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--without", nargs="*", default=["barista", "fsdd_digits"])
    parser.add_argument("--menu", type=Path)
    parser.add_argument("--data", type=Path, help="JSONL of utterances and orders")
    parser.add_argument("--audio", type=Path, help="the folder that `audio` in the data is in")
    parser.add_argument("--hesitate", type=float, nargs=2, help="seconds, from and to")
    parser.add_argument("--try", dest="tries", action="append", help="settings, NAME=VALUE …")
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--sample", type=int, default=10_000, help="so many recordings")
    parser.add_argument("--seed", type=int, default=1, help="which ones, and where they pause")
    arguments = parser.parse_args()
    if not arguments.manifest and not (arguments.menu and arguments.data and arguments.audio):
        parser.error("give --manifest, or --menu with --data and --audio")

    menu = None
    if arguments.menu:
        menu = convert(json.loads(arguments.menu.read_text(encoding="utf-8")))
    bench = Bench(arguments.model, menu)
    tries = arguments.tries or [""]
    found: dict[tuple[str, str], Figures] = {}
    for trial in trials(arguments, bench):
        for text in tries:
            figures = found.setdefault((trial.kind, text), Figures())
            bench.stream(trial, settings_of(text), figures)
    print("seconds: p50 p90 p99; split and right in %; decoding: CPU s per s of audio")
    print("onset→first partial   end→final              split   right  decoding  silent")
    for (kind, text), figures in sorted(found.items()):
        right = figures.right / figures.count if menu else 1 - _wrong(figures)
        print(
            f"{percentiles(figures.first_partial)}   {percentiles(figures.final)}  "
            f"{100 * figures.split / figures.count:6.1f} {100 * right:7.1f}   "
            f"{figures.decoding / figures.audio:7.3f}  "
            f"{figures.count - len(figures.first_partial):3} {figures.count - len(figures.final):3}"
            f"   {kind} ({figures.count})  {text}",
            flush=True,
        )


if __name__ == "__main__":
    main()
