"""How much context the encoder needs: word error rate and processor time over its window.

    python benchmarks/contexts.py --manifest FILE [--noise DIR] [--snr 10] [--kind thorough quick]
    python benchmarks/contexts.py --manifest FILE --kind thorough --floor 12 15 30 --beam 1 5

Whisper was trained on windows of 30 s. Shorter ones cost less and make the decoder loop or invent
words. For every combination of floor (least seconds of the window), margin (least seconds of it
behind the audio), padding, beam, guard and silence, the same audio is decoded on one thread.

Thorough decodes are of utterances cut as the service cuts them; word error rate is against what was
said, over whole recordings. Quick ones are of an utterance's first 0.5, 1, 2 and 3 s; word error
rate is against a window of 30 s and beam 5 of the same, so it counts disagreement, not error.

Guards: `none`; `retry`: what goes round in circles is decoded once more at 30 s with repetition
forbidden, as the service does; `ngram`: no four tokens may come twice; `both`.

Columns: word error rate in % clean and per `--snr`; insertions among them (loops and inventions
are insertions); milliseconds of processor time per decode (mean, median, 95th percentile); the
share of decodes that were done twice.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, get_args

import jiwer
import numpy as np
from harness import Recording, mixed, read_manifest, read_noises
from whisper_normalizer.english import EnglishTextNormalizer

from voice_service.asr.batching import BatchPolicy
from voice_service.asr.compute import Compute
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.needs import Urgency
from voice_service.asr.recognizer import (
    CAREFUL,
    QUICK,
    THOROUGH,
    DecodingProfile,
    Padding,
    Recognizer,
)
from voice_service.asr.whisper import Whisper
from voice_service.audio.formats import SAMPLE_RATE, Samples
from voice_service.models.registry import default_models_dir, resolve
from voice_service.settings import VoiceSettings
from voice_service.utterances.listener import Listener
from voice_service.utterances.vad import DetectorFactory

_COMPUTE: Final = Compute("cpu", "int8", workers=1, batches=BatchPolicy())
_PREFIXES: Final = (0.5, 1.0, 2.0, 3.0)
_GUARDS: Final = ("none", "retry", "ngram", "both")
_NGRAM: Final = 4
_REFERENCE: Final = DecodingProfile(beam_size=5, floor_s=30.0, margin_s=2.0, tokens_per_s=10.0)


@dataclass(frozen=True)
class Task:
    """Pieces of audio and the text that they make up together."""

    pieces: tuple[Samples, ...]
    text: str


@dataclass(frozen=True)
class Variant:
    """A way to decode."""

    profile: DecodingProfile
    guard: str

    def name(self) -> str:
        """Return the first columns of a table."""
        p = self.profile
        return f"{p.floor_s:5g} {p.margin_s:6g}  {p.padding:8} {p.beam_size:4}  {self.guard:6}"


@dataclass
class Outcome:
    """The result of one variant on a set of tasks: texts, and processor seconds per decode."""

    texts: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    repeated: int = 0


class Bench:
    """A model, and the decodes of one kind."""

    def __init__(self, arguments: argparse.Namespace, kind: str) -> None:
        found = resolve(arguments.model, default_models_dir())
        self.settings = VoiceSettings()
        self.recognizer = Recognizer(Whisper(found.location, _COMPUTE))
        self.detectors = DetectorFactory(self.settings.detector, self.settings.webrtc_mode)
        self.thorough = kind == "thorough"
        self.normalise = EnglishTextNormalizer()

    def tasks(self, recordings: Sequence[Recording], audio: Sequence[Samples]) -> list[Task]:
        """Return what to decode, and the text that it is compared with."""
        cut = [self._cuts(samples) for samples in audio]
        if self.thorough:
            return [
                Task(tuple(c), self.normalise(r.text)) for c, r in zip(cut, recordings, strict=True)
            ]
        prefixes = [
            piece[: round(seconds * SAMPLE_RATE)]
            for piece in itertools.chain.from_iterable(cut)
            for seconds in _PREFIXES
            if len(piece) >= seconds * SAMPLE_RATE
        ]
        texts = self.run(Variant(_REFERENCE, "retry"), [Task((p,), "") for p in prefixes]).texts
        return [Task((p,), text) for p, text in zip(prefixes, texts, strict=True)]

    def run(self, variant: Variant, tasks: Sequence[Task]) -> Outcome:
        """Decode everything with one variant."""
        ban = _NGRAM if variant.guard in ("ngram", "both") else 0
        profile = replace(variant.profile, no_repeat_ngram=ban)
        self.recognizer.quick = self.recognizer.thorough = profile
        self.recognizer.careful = CAREFUL if variant.guard in ("retry", "both") else None
        outcome = Outcome()
        for task in tasks:
            heard = []
            for piece in task.pieces:
                began = time.process_time()
                request = DecodeRequest(piece, "en", self.thorough)
                [hypothesis] = self.recognizer.decode([request])
                outcome.seconds.append(time.process_time() - began)
                outcome.repeated += bool(hypothesis.retries)
                heard.append(hypothesis.text)
            outcome.texts.append(self.normalise(" ".join(heard)))
        return outcome

    def _cuts(self, samples: Samples) -> list[Samples]:
        """Return the utterances of a recording, cut as the service cuts them."""
        listener = Listener(self.settings.listener(), self.detectors(), "en", "")
        listener.push(samples, 0.0)
        listener.flush(0.0)
        pieces = []
        while (want := listener.next_decode()) is not None and want.urgency is Urgency.FINAL:
            pieces.append(listener.start_decode().audio)
            listener.decoded(Hypothesis("heard", 1.0), 0.0)
        return pieces


def scored(outcome: Outcome, tasks: Sequence[Task]) -> str:
    """Return word error rate and insertions, both in per cent of the reference's words."""
    pairs = [(t.text, text) for t, text in zip(tasks, outcome.texts, strict=True) if t.text]
    found = jiwer.process_words([a for a, _ in pairs], [b for _, b in pairs])
    spoken = found.hits + found.substitutions + found.deletions
    return f"{100 * found.wer:6.2f} {100 * found.insertions / spoken:6.2f}"


def variants(arguments: argparse.Namespace, kind: str) -> Iterator[Variant]:
    """Return all combinations that the command line asks for."""
    usual = THOROUGH if kind == "thorough" else QUICK
    for floor, margin, padding, beam, guard in itertools.product(
        arguments.floor or [usual.floor_s],
        arguments.margin or [usual.margin_s],
        arguments.padding or [usual.padding],
        arguments.beam or [usual.beam_size],
        arguments.guard,
    ):
        profile = replace(usual, floor_s=floor, margin_s=margin, padding=padding, beam_size=beam)
        yield Variant(profile, guard)


def compare(arguments: argparse.Namespace, kind: str) -> None:
    """Print a table for one kind of decode."""
    bench = Bench(arguments, kind)
    recordings = read_manifest(arguments.manifest, without=arguments.without)[:: arguments.every]
    noises = [noise for _, noise in read_noises(arguments.noise)]
    conditions = [None, *(arguments.snr if noises else [])]
    sets = []
    for snr in conditions:
        audio = [
            mixed(r, noises[i % len(noises)] if noises else None, snr, i)
            for i, r in enumerate(recordings)
        ]
        sets.append(bench.tasks(recordings, audio))
    decodes = sum(len(task.pieces) for task in itertools.chain.from_iterable(sets))
    names = " ".join(f"{'clean' if s is None else f'{s:g} dB':>13}" for s in conditions)
    print(f"{kind}: {len(recordings)} recordings, {decodes} decodes, model {arguments.model}")
    print(f"floor margin  padding  beam  guard  {names}   ms: mean   p50   p95  twice", flush=True)
    for variant in variants(arguments, kind):
        outcomes = [bench.run(variant, tasks) for tasks in sets]
        rates = " ".join(scored(o, tasks) for o, tasks in zip(outcomes, sets, strict=True))
        spent = 1000 * np.array([s for o in outcomes for s in o.seconds])
        twice = 100 * sum(o.repeated for o in outcomes) / len(spent)
        times = f"{spent.mean():9.0f} {np.median(spent):5.0f} {np.percentile(spent, 95):5.0f}"
        print(f"{variant.name()}  {rates} {times} {twice:5.1f}%", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--without", nargs="*", default=["barista"], help="sets to leave out")
    parser.add_argument("--every", type=int, default=1, help="take every Nth recording")
    parser.add_argument("--noise", type=Path, help="a folder with noises")
    parser.add_argument("--snr", type=float, nargs="*", default=[10.0])
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--kind", nargs="+", choices=["thorough", "quick"], default=["thorough"])
    parser.add_argument("--floor", type=float, nargs="+", help="seconds")
    parser.add_argument("--margin", type=float, nargs="+", help="seconds")
    parser.add_argument("--padding", nargs="+", choices=get_args(Padding))
    parser.add_argument("--beam", type=int, nargs="+")
    parser.add_argument("--guard", nargs="+", choices=_GUARDS, default=["retry"])
    arguments = parser.parse_args()
    for kind in arguments.kind:
        compare(arguments, kind)


if __name__ == "__main__":
    main()
