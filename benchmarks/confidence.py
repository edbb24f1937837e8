"""How far the confidence of words can be trusted, and the calibration of a model.

    confidence.py --manifest FILE [--noise DIR] [--snr 10] [--model tiny.en] [--fit]
    confidence.py --manifest FILE --served …
    confidence.py --manifest FILE --slots --menu MENU.json …

Recordings are cut by the service's own speech detection and decoded as its finals are, without a
socket. A word is right if it stands in the reference (EnglishTextNormalizer, edit distance). No
word is judged by what was fitted to it: each speaker's words by a fit to the others', each set's by
a fit to the other sets. The manifest is JSONL with `file`, `text`, `set` and `speaker` (without it
every recording has a speaker of its own); noises are mixed in as in accuracy.py.

--fit     print the line for `models/manifest.toml`, fitted on everything
--served  what clients are told: partials too, with the calibration of the model's manifest entry
--slots   judge by `slots` (what was asked for) the words that occur in any, and nothing else: no
          transcript is needed. Prints how much of the doubt in them is justified (`menu_doubt`)
--menu    with this menu as the decoder's prompt (format of orders.py)
--words   keep the judged words in this JSONL file, or read them from there if it exists
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from ears import Ears
from harness import Recording, mixed, read_manifest, read_noises
from orders import convert
from reliability import (
    Floats,
    Judged,
    applied,
    errors,
    fit,
    held_out,
    judge,
    judge_slots,
    reliability,
    speaker_folds,
)
from whisper_normalizer.english import EnglishTextNormalizer

from voice_service.app import load_recognizer
from voice_service.asr.calibration import RAW, Calibration
from voice_service.audio.formats import SAMPLE_RATE, Samples
from voice_service.models.registry import default_models_dir, resolve
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.settings import VoiceSettings
from voice_service.utterances.events import Final, ListenerEvent, Partial

_CHUNK = SAMPLE_RATE // 10
_NEVER_MS = 60_000
_FOLDS = 5
_CLEAN = "clean"

About = dict[str, dict[str, Any]]
"""The lines of the manifest by their `file`."""
Condition = tuple[float | None, Sequence[Samples]]
"""Signal to noise in dB, and noises that take turns; None is without."""
Judge = Callable[[Sequence[str], str], list[bool | None]]
"""Which of these words are right, in the recording of this name."""


def listening(arguments: argparse.Namespace) -> Ears:
    """Return the model and settings of the service; without partials unless they are judged."""
    settings = VoiceSettings()
    if not arguments.served:
        waits = ("first_partial_ms", "partial_interval_ms", "speculate_ms")
        settings = settings.model_copy(update=dict.fromkeys(waits, _NEVER_MS))
    resolved = resolve(arguments.model, default_models_dir())
    if not arguments.served:
        resolved = replace(resolved, calibration=RAW)
    menu = None
    if arguments.menu:
        menu = CompiledMenu(convert(json.loads(arguments.menu.read_text(encoding="utf-8"))).menu)
    return Ears(
        settings,
        load_recognizer(settings, resolved),
        menu,
        arguments.language,
    )


def judging(about: About, slots: bool) -> Judge:
    """Return what judges words: by texts, or by what was asked for."""
    normalise = EnglishTextNormalizer()
    if not slots:
        return lambda words, name: judge(words, about[name]["text"], normalise)
    asked = {
        name: set(filter(telling, normalise(" ".join(row["slots"].values())).split()))
        for name, row in about.items()
        if row.get("slots")
    }
    vocabulary = frozenset[str]().union(*asked.values())
    return lambda words, name: judge_slots(words, asked[name], vocabulary, normalise)


def telling(word: str) -> bool:
    """Return whether a word of a slot is likely to be said for the slot; "a" and "of" are not."""
    return len(word) > 2 or word.isdigit()


def told(events: Iterable[ListenerEvent]) -> Iterator[tuple[str, list[str], list[float]]]:
    """Yield the kind, the words and their confidences of each transcript."""
    for event in events:
        if isinstance(event, Partial):
            words = event.text.split()
            yield "partial", words, [event.confidence] * len(words)
        elif isinstance(event, Final):
            heard = event.hypothesis
            words = heard.text.split()
            own = [word.confidence for word in heard.words]
            yield "final", words, own or [heard.confidence] * len(words)


def listen_to(
    ears: Ears, recordings: Sequence[Recording], about: About, right: Judge, condition: Condition
) -> Iterator[Judged]:
    """Return every word that is reported of these recordings under one condition."""
    snr, noises = condition
    name = _CLEAN if snr is None else f"{snr:g} dB"
    for i, recording in enumerate(recordings):
        row = about[recording.name]
        place = (row.get("set", ""), row.get("speaker", recording.name), name)
        audio = mixed(recording, noises[i % len(noises)] if noises else None, snr, i)
        for kind, words, confidences in told(ears.events(audio)):
            verdicts = right(words, recording.name)
            for word, confidence, verdict in zip(words, confidences, verdicts, strict=True):
                if verdict is not None:
                    yield Judged(word, confidence, verdict, kind, *place)


def all_words(arguments: argparse.Namespace) -> list[Judged]:
    """Decode everything."""
    lines = arguments.manifest.read_text(encoding="utf-8").splitlines()
    about = {row["file"]: row for row in map(json.loads, lines)}
    recordings = read_manifest(arguments.manifest, without=arguments.without)
    if arguments.slots:
        recordings = [r for r in recordings if about[r.name].get("slots")]
    noises = [noise for _, noise in read_noises(arguments.noise)]
    conditions: list[Condition] = [(None, ()), *((snr, noises) for snr in arguments.snr if noises)]
    ears, right = listening(arguments), judging(about, arguments.slots)
    found: list[Judged] = []
    for condition in conditions:
        found += listen_to(ears, recordings[: arguments.limit], about, right, condition)
    return found


def kept(arguments: argparse.Namespace) -> list[Judged]:
    """Return the words of an earlier run, or new ones, kept if there is a file for them."""
    if arguments.words and arguments.words.exists():
        lines = arguments.words.read_text(encoding="utf-8").splitlines()
        return [Judged(**json.loads(line)) for line in lines]
    found = all_words(arguments)
    if arguments.words:
        text = "".join(json.dumps(asdict(word)) + "\n" for word in found)
        arguments.words.write_text(text, encoding="utf-8")
    return found


def line(name: str, confidences: Floats, right: Floats) -> None:
    """Return a row of the table of errors."""
    found = errors(confidences, right)
    print(
        f"{name:36} {len(right):6}  {100 * right.mean():5.1f}  {found.width:6.3f}"
        f"  {found.mass:6.3f}  {found.brier:6.3f}  {found.nll:6.3f}"
    )


def by(name: str, words: Sequence[Judged], confidences: Floats, right: Floats) -> None:
    """Return the errors for every value of a field, with the given confidences and no fit."""
    values = [getattr(word, name) for word in words]
    for value in sorted(set(values)):
        places = np.array([i for i, v in enumerate(values) if v == value])
        line(f"  {value}", confidences[places], right[places])


def bins(confidences: Floats, right: Floats) -> None:
    """Print the reliability table."""
    print("\n| confidence | words | mean | right |\n|---|---|---|---|")
    for found in reliability(confidences, right):
        low = min(int(found.confidence * 10), 9) / 10
        print(
            f"| {low:.1f} to {low + 0.1:.1f} | {found.words} | {found.confidence:.3f}"
            f" | {found.right:.3f} |"
        )


def report(words: Sequence[Judged], manifest: Calibration) -> None:
    """Print errors before, with the manifest's calibration, and with held-out fits."""
    folds = speaker_folds(words, _FOLDS)
    raw, right = applied(RAW, words)
    by_speaker, _ = held_out(words, lambda word: folds[word.speaker])
    line("as decoded", raw, right)
    by("condition", words, raw, right)
    line(f"manifest ({manifest.slope:g}, {manifest.offset:g})", *applied(manifest, words))
    line("fitted to other speakers", by_speaker, right)
    by("condition", words, by_speaker, right)
    if len({word.set for word in words}) > 1:
        by_set, _ = held_out(words, lambda word: word.set)
        line("fitted to other sets", by_set, right)
        by("set", words, by_set, right)
    bins(raw, right)
    bins(by_speaker, right)


def report_served(words: Sequence[Judged]) -> None:
    """Print the errors of what clients were sent."""
    for kind in ("final", "partial"):
        chosen = [word for word in words if word.kind == kind]
        confidences, right = applied(RAW, chosen)
        line(f"{kind}s as told", confidences, right)
        by("condition", chosen, confidences, right)
        bins(confidences, right)


def report_slots(words: Sequence[Judged], manifest: Calibration) -> None:
    """Print how sure the decoder may be of the words of an order; nothing is fitted."""
    raw, right = applied(RAW, words)
    told_of, _ = applied(manifest, words)
    line("as decoded", raw, right)
    line(f"manifest ({manifest.slope:g}, {manifest.offset:g})", told_of, right)
    by("condition", words, told_of, right)
    bins(told_of, right)
    print(f"\nwrong for each word of doubt: {(1 - right).sum() / (1 - told_of).sum():.2f}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--without", nargs="*", default=["barista"], help="sets to leave out")
    parser.add_argument("--noise", type=Path, help="a folder with noises")
    parser.add_argument("--snr", type=float, nargs="*", default=[10.0])
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--language", default="en")
    parser.add_argument("--menu", type=Path)
    parser.add_argument("--limit", type=int, help="the first N recordings only")
    parser.add_argument("--words", type=Path)
    parser.add_argument("--slots", action="store_true")
    parser.add_argument("--served", action="store_true")
    parser.add_argument("--fit", action="store_true")
    return parser


def main() -> None:
    """Print the tables."""
    arguments = _parser().parse_args()
    words = kept(arguments)
    print(f"{arguments.model}: {len({w.speaker for w in words})} speakers, {len(words)} words")
    print(f"{'':36} {'words':>6}  {'right':>5}  {'ECE':>6}  {'mass':>6}  {'Brier':>6}  {'NLL':>6}")
    if arguments.served:
        report_served(words)
        return
    resolved = resolve(arguments.model, default_models_dir())
    if arguments.slots:
        report_slots(words, resolved.calibration)
        return
    report(words, resolved.calibration)
    if arguments.fit:
        found = fit(words)
        print(f"\ncalibration = {{ slope = {found.slope}, offset = {found.offset} }}")


if __name__ == "__main__":
    main()
