"""What an utterance means to the order: the reading that is taken, and what is asked about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from voice_service.ordering.acts import Act, Add, Modify, Problem, Replace, not_understood
from voice_service.ordering.cart.cart import Cart
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.dialogue.open_questions import OpenQuestions
from voice_service.ordering.dialogue.readback import joined
from voice_service.ordering.dialogue.turns import WeighedReading
from voice_service.ordering.intents.parser import Parsed
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.readings.features import Circumstances, says, spoken
from voice_service.ordering.readings.interpretation import (
    Interpretation,
    interpret,
    means_the_same,
    without_repeats,
)
from voice_service.ordering.readings.model import Ranker
from voice_service.ordering.readings.reading import Construal
from voice_service.ordering.reasons import ReasonCode

_LEAST = 0.01
"""A reading less likely than this (0 to 1) is not mentioned."""


@dataclass(frozen=True)
class Meant:
    """An utterance as it is meant, and the readings that competed for that."""

    parsed: Parsed
    readings: tuple[WeighedReading, ...]


class Meaning:
    """Decides between the readings of each utterance of one conversation."""

    def __init__(
        self, menu: CompiledMenu, cart: Cart, questions: OpenQuestions, ranker: Ranker
    ) -> None:
        self._menu = menu
        self._cart = cart
        self._questions = questions
        self._ranker = ranker
        self._fresh: frozenset[str] = frozenset()

    def see(self, before: Sequence[Line]) -> None:
        """Take note of what an utterance changed: the order was `before` until then."""
        known = {line.id: line for line in before}
        changed = (line for line in self._cart.lines if known.get(line.id) != line)
        self._fresh = frozenset(line.id for line in changed)

    def of(self, parsed: Parsed, text: str) -> Meant:
        """Return what the parser read as it is meant, given the order so far.

        Where another reading is about as likely, a question about the difference is among the acts.
        """
        if self._questions.choice is not None:
            # What is named answers which item is meant.
            return Meant(parsed, _only(Construal.AS_SAID))
        said = self._circumstances(parsed, text)
        if self._questions.is_open(ReasonCode.AGAIN_OR_SAME) and means_the_same(said):
            self._questions.close(ReasonCode.AGAIN_OR_SAME)
            same = replace(parsed, acts=without_repeats(parsed.acts))
            return Meant(same, _only(Construal.RESTATED))
        interpretation = interpret(said, self._ranker, self._outcome)
        acts, doubt = interpretation.taken.acts, interpretation.doubt
        if doubt is not None:
            self._cart.remember()
            names = [self._menu.item_name(item) for item in doubt.items]
            acts = (*acts, Problem(doubt.code, joined(names, self._menu)))
        elif self._corrects_nothing(acts, said):
            acts = (*acts, not_understood(text))
        return Meant(replace(parsed, acts=acts), _weighed(interpretation))

    def _corrects_nothing(self, acts: Sequence[Act], said: Circumstances) -> bool:
        """Return whether a correction names what is there already: "no no fries", of some fries.

        Something else was meant by it.
        """
        mentions = said.parsed.mentions
        slip = any(mention.cue(Cue.CORRECT) and not mention.idle for mention in mentions)
        slip = slip and not any(mention.cue(Cue.NO, Cue.NOT) for mention in mentions)
        changes = any(isinstance(act, Add | Modify | Replace) for act in acts)
        if not slip or not changes or says(said.words, said.repetition.repeats):
            return False
        asked = any(isinstance(act, Problem) for act in acts)
        return not asked and self._outcome(acts) == self._outcome(())

    def _circumstances(self, parsed: Parsed, text: str) -> Circumstances:
        language = self._menu.language
        return Circumstances(
            parsed,
            lines=[line for line in self._cart.lines if line.part_of is None],
            fresh=self._fresh,
            asked=self._questions.has_question,
            words=spoken(text, language),
            repetition=language.repetition,
        )

    def _outcome(self, acts: Sequence[Act]) -> tuple[object, ...]:
        """Return what the order would be after `acts`, in a form that can be compared."""
        return tuple(sorted(map(_comparable, self._cart.preview(acts))))


def _only(construal: Construal) -> tuple[WeighedReading, ...]:
    """The readings of an utterance of which there is no other."""
    return (WeighedReading(construal, 1.0, taken=True),)


def _weighed(interpretation: Interpretation) -> tuple[WeighedReading, ...]:
    """The readings that have a chance, and the one that was taken."""
    taken = interpretation.taken
    return tuple(
        WeighedReading(
            one.reading.construal,
            round(one.probability, 4),
            taken=one.reading is taken,
            because=one.signs,
        )
        for one in interpretation.ranked
        if one.probability >= _LEAST or one.reading is taken
    )


def _comparable(line: Line) -> tuple[object, ...]:
    """Return what a line orders, without its id and how it was said."""
    mods = sorted((m.group, m.id, m.qualifier or "", m.negated, m.quantity) for m in line.mods)
    return line.item, line.count, line.size or "", line.plain, line.slot or "", tuple(mods)
