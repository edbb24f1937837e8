"""How sure an item is: how its words were heard, how well they match, what is unexplained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voice_service.ordering.acts import Act, Add, Modify, ModifyReferenced, Problem, Replace
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.intents.parser import Parsed


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an utterance gives to judge its items by.

    `heard`: the recogniser's confidence of each word. `menu_doubt`: by what the odds that a word
    was misheard are multiplied when it is on the menu, as that speaks for it.
    """

    parsed: Parsed
    heard: Sequence[float]
    menu_doubt: float

    def confidence(self, act: Act) -> float:
        """Return the probability that what `act` orders is right; 1 if it orders nothing."""
        match act:
            case Add(request) | Replace(request=request):
                used = [*request.words, *(i for m in request.mods for i in m.words)]
                quality = min([request.quality, *(m.quality for m in request.mods)])
            case ModifyReferenced(changes=changes):
                return min(map(self.confidence, changes))
            case Modify(mods=mods):
                used = [i for m in mods for i in m.words]
                quality = min((m.quality for m in mods), default=1.0)
            case _:
                return 1.0
        # The confidence of "to" is about its spelling; "two" sounds the same.
        sounds = [i for i in used if i < len(self.heard) and i not in self.parsed.by_sound]
        heard = min((self.heard[i] for i in sounds), default=1.0)
        nearness = self.parsed.nearness
        near = min((nearness[i] for i in used if i in nearness), default=1.0)
        # Only the greater doubt counts: a match with half a name confirms what was heard as well.
        matched = quality * near
        return max(0.0, min(self._heard_right(heard), matched) * self._coverage())

    def _heard_right(self, heard: float) -> float:
        """Return how likely a word of the menu is right that was heard with this confidence."""
        doubt = self.menu_doubt * (1.0 - heard)
        return heard / (heard + doubt) if doubt else 1.0

    def _coverage(self) -> float:
        """Return how sure the items are in view of the words that nothing explains."""
        unexplained = any(
            isinstance(act, Problem) and act.code.handling.unexplained for act in self.parsed.acts
        )
        return Doubt.SOME_UNEXPLAINED.certainty if unexplained else Doubt.ALL_EXPLAINED.certainty
