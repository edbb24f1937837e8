"""Words that the menu's prompt adds to what was said, takes from it, or gets right.

    short_phrases.py --data MANIFEST.jsonl [--menu MENU.json …] [--final-model base]
    short_phrases.py --data MANIFEST.jsonl --noise FILE … --snr 12

The manifest is JSONL with `file` (relative to it) and `text`; any recordings of your own will do,
short ones show most. Each is heard by the service's own recognition, partials and all, once without
a menu and once with each `--menu` (default: the demo's). Finals are aligned with the text as word
error rates are: words inserted, lost, replaced. A name on the menu counts as right if the text and
the finals both have it; where a text has one twice, twice. Menus are in the product's own format.

--aside only|without  the third of the recordings (by SHA-256 of `file`) that nothing is tuned on,
                      or the rest
--show                what was heard otherwise than said
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jiwer
from conversations import DEMO, is_aside
from ears import Ears
from harness import Recording, mixed, read_manifest
from whisper_normalizer.english import EnglishTextNormalizer

from order_events.menu.diagnostics import read_menu
from voice_service.audio.formats import Samples
from voice_service.audio.recordings import read_audio
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.server import prepare
from voice_service.settings import VoiceSettings

_THINGS = ("item", "size", "modifier")
_FULL_NAME = 0.95
"""How well a phrase must fit a name; singular and plural are the same."""


@dataclass
class Tally:
    """Counts of words and of names over recordings; `spoiled` recordings have words inserted."""

    recordings: int = 0
    spoiled: int = 0
    words: int = 0
    inserted: int = 0
    lost: int = 0
    replaced: int = 0
    named: int = 0
    names_right: int = 0

    def add(self, said: str, heard: str, menu: CompiledMenu) -> bool:
        """Count one recording, whose texts are normalised; return whether it was heard as said."""
        found = jiwer.process_words(said, heard)
        wanted, got = (named(text, menu) for text in (said, heard))
        self.recordings += 1
        self.spoiled += found.insertions > 0
        self.words += len(said.split())
        self.inserted += found.insertions
        self.lost += found.deletions
        self.replaced += found.substitutions
        self.named += wanted.total()
        self.names_right += (wanted & got).total()
        return said == heard


def named(text: str, menu: CompiledMenu) -> Counter[str]:
    """Return what a text names of a menu's items, sizes and modifiers, and how often.

    The longest name wins; no word is part of two. Synonyms count, corrected words do not.
    """
    words = list(keys_of(text, menu.language))
    found: Counter[str] = Counter()
    at = 0
    while at < len(words):
        for stop in range(min(at + menu.lexicon.longest, len(words)), at, -1):
            key = "".join(words[at:stop])
            said = menu.lexicon.find(key, " ".join(words[at:stop]))
            if any(c.kind in _THINGS and c.match >= _FULL_NAME for c in said):
                found[key] += 1
                at = stop
                break
        else:
            at += 1
    return found


def audio_of(
    recordings: Sequence[Recording], noises: Sequence[Samples], snr: float | None
) -> list[Samples]:
    """Return the recordings between pauses; noises take turns."""
    return [
        mixed(r, noises[i % len(noises)] if noises else None, snr, i)
        for i, r in enumerate(recordings)
    ]


def compare(
    ears: Ears,
    spoken: Sequence[tuple[Recording, Samples]],
    menu: CompiledMenu,
    *,
    show: bool,
) -> Tally:
    """Hear every recording and count; `menu` is that of the names, not of the prompt."""
    normalise, tally = EnglishTextNormalizer(), Tally()
    for recording, samples in spoken:
        text = ears.text(samples)
        alike = tally.add(normalise(recording.text), normalise(text), menu)
        if show and not alike:
            print(f"    {recording.name}: {recording.text!r} heard {text!r}")
    return tally


def row(menu: str, prompt: str, tally: Tally, seconds: float) -> str:
    """Return a line of the table."""
    return (
        f"| {menu} | {prompt} | {tally.recordings} | {tally.words} | {tally.inserted} "
        f"| {tally.spoiled} | {tally.lost} | {tally.replaced} "
        f"| {tally.names_right} of {tally.named} | {seconds:.0f} s |"
    )


def main() -> None:
    """Print the table, two rows for each menu."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--menu", type=Path, nargs="+", default=[DEMO])
    parser.add_argument("--noise", type=Path, nargs="*", default=[], help="recordings of noise")
    parser.add_argument("--snr", type=float, default=12.0, help="dB, with --noise")
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--final-model")
    parser.add_argument("--language", default="en")
    parser.add_argument("--aside", choices=("only", "without"))
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()

    recordings = [
        r
        for r in read_manifest(arguments.data)
        if not arguments.aside or is_aside(r.name) is (arguments.aside == "only")
    ]
    noises = [read_audio(path) for path in arguments.noise]
    audio = audio_of(recordings, noises, arguments.snr if noises else None)
    spoken = list(zip(recordings, audio, strict=True))
    settings = VoiceSettings(model=arguments.model, final_model=arguments.final_model)
    recognizer = prepare(settings)
    print("| names of | prompt | recordings | words | inserted | in | lost | replaced | names | |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for path in arguments.menu:
        menu = CompiledMenu(read_menu(path.read_bytes()), arguments.language)
        for prompt, own in (("none", None), ("menu", menu)):
            ears = Ears(settings, recognizer, own, arguments.language)
            began = time.monotonic()
            tally = compare(ears, spoken, menu, show=arguments.show)
            print(row(path.stem, prompt, tally, time.monotonic() - began), flush=True)


if __name__ == "__main__":
    main()
