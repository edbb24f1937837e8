"""How sure an item is: how its words were heard, how well they match, what is unexplained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property, reduce

from voice_service.ordering.acts import (
    Act,
    Add,
    ModifierRequest,
    Modify,
    ModifyReferenced,
    Problem,
    Replace,
)
from voice_service.ordering.dialogue.passed_over import passed_over
from voice_service.ordering.dialogue.turns import Heard
from voice_service.ordering.doubt import Doubt, Doubts
from voice_service.ordering.intents.parser import Parsed
from voice_service.ordering.likelihood import Grounds


@dataclass(frozen=True, slots=True)
class Hearing:
    """The recogniser's confidence of each word of a text; for the rest see `Heard`."""

    words: tuple[float, ...] = ()
    agreement: float = 1.0
    lost: int = 0


NOT_HEARD = Hearing()


def hearing_of(heard: Heard, held_back: Sequence[float]) -> Hearing:
    """Return how a transcript was heard, behind words that were held back."""
    return Hearing((*held_back, *heard.confidences), heard.agreement, heard.lost)


@dataclass(frozen=True)
class Evidence:
    """What an utterance gives to judge its items by.

    `menu_doubt`: by what the odds that a word was misheard are multiplied when it is on the menu,
    as that speaks for it.
    """

    parsed: Parsed
    hearing: Hearing
    menu_doubt: float

    def grounds(self, act: Act) -> Grounds:
        """Return what that which `act` orders rests on."""
        if isinstance(act, ModifyReferenced):
            return reduce(Grounds.also, map(self.grounds, act.changes))
        if not isinstance(act, Add | Replace | Modify):
            return Grounds()
        words = {*_words(act)}
        # The confidence of "to" is about its spelling; "two" sounds the same.
        sounds = words - self.parsed.by_sound
        amid = (i for i, beside in self._passed_over.items() if not words.isdisjoint(beside))
        nearness = self.parsed.nearness
        return Grounds(
            frozenset([*_doubts(act), *self._unexplained()]),
            mended=10 * (1 - min((nearness[i] for i in words if i in nearness), default=1.0)),
            heard=self._heard_right(self._least_sure(sounds)),
            passed_over=1.0 - self._least_sure(amid),
            rivals=1.0 - self.hearing.agreement,
            lost=self.hearing.lost,
        )

    @cached_property
    def _passed_over(self) -> Mapping[int, Set[int]]:
        acts = (act for act in self.parsed.acts if isinstance(act, Add | Replace | Modify))
        return passed_over(self.parsed.spans, {word for act in acts for word in _words(act)})

    def _least_sure(self, words: Iterable[int]) -> float:
        heard = self.hearing.words
        return min((heard[i] for i in words if i < len(heard)), default=1.0)

    def _unexplained(self) -> Doubts:
        acts = self.parsed.acts
        some = any(isinstance(a, Problem) and a.code.handling.unexplained for a in acts)
        return (Doubt.SOME_UNEXPLAINED,) if some else ()

    def _heard_right(self, heard: float) -> float:
        """Return how likely a word of the menu is right that was heard with this confidence."""
        doubt = self.menu_doubt * (1.0 - heard)
        return heard / (heard + doubt) if doubt else 1.0


def _words(act: Add | Replace | Modify) -> Iterator[int]:
    if not isinstance(act, Modify):
        yield from act.request.words
    for mod in _mods(act):
        yield from mod.words


def _doubts(act: Add | Replace | Modify) -> Iterator[Doubt]:
    if not isinstance(act, Modify):
        yield from act.request.doubts
    for mod in _mods(act):
        yield from mod.doubts


def _mods(act: Add | Replace | Modify) -> Sequence[ModifierRequest]:
    return act.mods if isinstance(act, Modify) else act.request.mods
