"""Fits what sound says of an order: the weights of words passed over, of rivals and of words lost.

    fit_hearing.py --menu MENU.json --data DATA.jsonl --audio DIR --noise FILE … [--snr 6]
                   [--judge-noise FILE …] [--sample N] [--model tiny.en] [--final-model base]

Menu and data are those of `spoken_orders.py`. Each recording is cut where it was spoken and decoded
whole, once thoroughly and once quickly, as its last partial would be; an order is right if it is
exactly the truth. Two of three recordings are fitted on, in the noises of --noise. The others are
judged, in those and in the noises of --judge-noise, which nothing is fitted on: what is accepted at
the threshold in use, and what of that is wrong, without and with these weights.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness import LEAD, mixed
from line_weights import HEARING
from log_linear import fit_logistic, probability
from orders import EvalMenu, convert, order_of
from spoken_orders import Case, meaning, recorded

from voice_service.app import load_recognizer
from voice_service.asr.hypothesis import DecodeRequest
from voice_service.asr.recognizer import Recognizer
from voice_service.audio.formats import SAMPLE_RATE, Samples
from voice_service.audio.recordings import read_audio
from voice_service.models.registry import default_models_dir, resolve
from voice_service.ordering import CompiledMenu, Conversation, Heard, HeardWord
from voice_service.ordering.dialogue.policy import DEFAULT
from voice_service.ordering.likelihood import BIAS, Grounds
from voice_service.ordering.weights import fitted
from voice_service.settings import VoiceSettings

_BEFORE_S, _AFTER_S = 0.32, 0.19
"""Of a recording that the service would decode with what was spoken."""
_L2 = 1.0


@dataclass(frozen=True)
class Order:
    """An order that could be accepted: what its lines rest on, and whether it is right."""

    noise: str
    aside: bool
    grounds: Sequence[Grounds]
    right: bool

    def accepted(self, *, by_sound: bool) -> bool:
        """Return whether it is accepted, with or without what is fitted here."""
        silent = dict.fromkeys(HEARING, 0.0)
        weights = fitted().lines if by_sound else {**fitted().lines, **silent}
        likely = (
            min(
                g.heard * probability({BIAS: 1.0}, weights),
                probability(g.by_itself.features, weights),
            )
            for g in self.grounds
        )
        return min(likely) >= DEFAULT.least_confidence


class Hearing:
    """A model for partials and one for finals, with a menu as their prompt."""

    def __init__(self, menu: EvalMenu, quick: Recognizer, thorough: Recognizer) -> None:
        self._menu, self._compiled = menu, CompiledMenu(menu.menu)
        self._quick, self._thorough = quick, thorough

    def order(self, case: Case, noise: Samples, name: str, snr: float, seed: int) -> Order | None:
        """Return what is understood of a recording in a noise; None if it cannot be accepted."""
        spoken = case.recording
        sound = mixed(spoken, noise, snr, seed)
        start = round((LEAD + spoken.onset - _BEFORE_S) * SAMPLE_RATE)
        end = round((LEAD + spoken.end + _AFTER_S) * SAMPLE_RATE)
        conversation = Conversation(self._compiled)
        request = DecodeRequest(
            sound[max(0, start) : end],
            "en",
            thorough=True,
            bias=self._compiled.bias,
            speech_s=spoken.end - spoken.onset,
            choose=conversation.chooser(),
        )
        [found] = self._thorough.decode([request])
        [shown] = self._quick.decode([replace(request, thorough=False, choose=None)])
        heard = found.calibrated()
        lost = max(0, len(shown.text.split()) - len(heard.text.split()))
        words = tuple(HeardWord(word.text, word.confidence) for word in heard.words)
        conversation.hear(
            Heard(1, heard.text, heard.confidence, words, "en", heard.agreement, lost)
        )
        update = conversation.end()
        others = [r for r in update.reasons if r.question and r.code != "low_confidence"]
        if others or not conversation.lines:
            return None
        order = order_of(conversation.lines, self._menu)
        right = meaning(order, self._menu) == meaning(case.order, self._menu)
        aside = int(hashlib.sha256(spoken.name.encode()).hexdigest(), 16) % 3 == 0
        return Order(name, aside, [line.grounds for line in conversation.lines], right)


def orders(options: argparse.Namespace) -> Iterator[Order]:
    """Decode every recording in every noise."""
    menu = convert(json.loads(options.menu.read_text("utf-8")))
    rows = [json.loads(line) for line in options.data.read_text("utf-8").splitlines() if line]
    cases = recorded(rows[: options.sample], options.audio)
    settings, folder = VoiceSettings(), options.models_dir or default_models_dir()
    quick = load_recognizer(settings, resolve(options.model, folder))
    finals = options.final_model
    thorough = load_recognizer(settings, resolve(finals, folder)) if finals else quick
    hearing = Hearing(menu, quick, thorough)
    for path in [*options.noise, *options.judge_noise]:
        noise = read_audio(path)
        for seed, case in enumerate(cases):
            for snr in options.snr:
                order = hearing.order(case, noise, path.stem, snr, seed)
                if order is not None:
                    yield order


def main() -> None:
    """Fit, print the weights, and judge them on what they were not fitted on."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--menu", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--audio", type=Path, required=True)
    parser.add_argument("--noise", type=Path, nargs="+", required=True)
    parser.add_argument("--judge-noise", type=Path, nargs="*", default=[])
    parser.add_argument("--snr", type=float, nargs="*", default=[6.0])
    parser.add_argument("--sample", type=int, default=10_000)
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--final-model")
    parser.add_argument("--models-dir", type=Path)
    options = parser.parse_args()
    found = list(orders(options))
    known = {path.stem for path in options.noise}
    learned = [o for o in found if o.noise in known and not o.aside]
    names = (BIAS, *HEARING)
    rows = [{n: g.features[n] for n in names} for o in learned for g in o.grounds]
    prior = {BIAS: fitted().lines[BIAS], **HEARING}
    weights = fit_logistic(rows, [o.right for o in learned for _ in o.grounds], _L2, prior)
    print({name: round(weight, 2) for name, weight in weights.items()})
    print("of the recordings set aside, with the weights in use")
    print(f"{'noise':24} orders  accepted, wrong of those: without them   with them")
    for noise in dict.fromkeys(o.noise for o in found):
        mine = [o for o in found if o.noise == noise and o.aside]
        cells = []
        for by_sound in (False, True):
            taken = [o for o in mine if o.accepted(by_sound=by_sound)]
            cells.append(f"{len(taken):4} {sum(not o.right for o in taken):3}")
        print(f"{noise:24} {len(mine):6}  {cells[0]:>36}   {cells[1]:>9}")


if __name__ == "__main__":
    main()
