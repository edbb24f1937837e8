"""How sure an item is: the words as heard, how well they match, and what was left unexplained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voice_service.ordering.acts import Act, Add, Modify, ModifyReferenced, Problem, Replace
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.intents.parser import Parsed


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an utterance gives to judge its items by.

    `heard`: the recogniser's confidence of each word. `menu_doubt`: the odds that a word was
    misheard are multiplied by it when the word is one of the menu, as that speaks for it.
    """

    parsed: Parsed
    heard: Sequence[float]
    menu_doubt: float

    def confidence(self, act: Act) -> float:
        """The probability that what `act` puts into the order is right; 1 if it puts in nothing."""
        match act:
            case Add(group) | Replace(request=group):
                used = [*group.words, *(i for m in group.mods for i in m.words)]
                quality = min([group.quality, *(m.quality for m in group.mods)])
            case ModifyReferenced(changes=changes):
                return min(map(self.confidence, changes))
            case Modify(mods=mods):
                used = [i for m in mods for i in m.words]
                quality = min((m.quality for m in mods), default=1.0)
            case _:
                return 1.0
        # How sure the recogniser is of "to" says nothing about the sound that it has with "two".
        sounds = [i for i in used if i < len(self.heard) and i not in self.parsed.by_sound]
        heard = min((self.heard[i] for i in sounds), default=1.0)
        nearness = self.parsed.nearness
        near = min((nearness[i] for i in used if i in nearness), default=1.0)
        # The greater doubt counts: that half a name fits the menu speaks for the sounds as well.
        matched = quality * near
        return max(0.0, min(self._heard_right(heard), matched) * self._coverage())

    def _heard_right(self, heard: float) -> float:
        """How likely a word is right that was heard with this confidence and is on the menu."""
        doubt = self.menu_doubt * (1.0 - heard)
        return heard / (heard + doubt) if doubt else 1.0

    def _coverage(self) -> float:
        """What words that explain nothing say about the words beside them."""
        unexplained = any(
            isinstance(act, Problem) and act.code.handling.unexplained for act in self.parsed.acts
        )
        return Doubt.SOME_UNEXPLAINED.certainty if unexplained else Doubt.ALL_EXPLAINED.certainty
