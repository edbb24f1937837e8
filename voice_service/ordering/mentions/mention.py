"""Phrases in the roles that they play in an utterance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from voice_service.ordering.acts import Description
from voice_service.ordering.language.cue_sets import IDLE
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.menu.lexicon import Candidate, Kind
from voice_service.ordering.menu.match import FULL

_ALIKE = 0.08  # items this close in quality are equally meant


class MentionType(Enum):
    """What a phrase is in this utterance."""

    ITEM = auto()
    MODIFIER = auto()
    SIZE = auto()
    CATEGORY = auto()
    GROUP = auto()
    NUMBER = auto()
    CUE = auto()
    UNKNOWN = auto()


@dataclass
class Mention:
    """A span in its role. `candidates` are those of the role; `also` the modifier senses of a size.

    `plural`: an item said as several. `such`: it points at lines by what they are like.
    """

    span: Span
    role: MentionType
    candidates: tuple[Candidate, ...] = ()
    also: tuple[Candidate, ...] = ()
    plural: bool = False
    such: Description | None = None

    def cue(self, *cues: Cue) -> bool:
        """Whether the part acts as one of `cues`."""
        return self.role in (MentionType.CUE, MentionType.NUMBER) and self.span.has(*cues)

    @property
    def idle(self) -> bool:
        """Whether it only fills the sentence."""
        return self.role is MentionType.CUE and self.span.cues <= IDLE

    @property
    def items(self) -> tuple[str, ...]:
        """The items it may mean: those that its words explain best."""
        best = self.candidates[0].match
        return tuple(dict.fromkeys(s.id for s in self.candidates if s.match >= best - _ALIKE))


def candidates_of(span: Span, kind: Kind) -> tuple[Candidate, ...]:
    """What of one kind a phrase may name, best first."""
    return tuple(s for s in span.candidates if s.kind == kind)


def completes(mention: Mention, before: Mention) -> bool:
    """Whether part of a name follows a whole one of its group, and may only round that off."""
    if (
        before.role is not MentionType.MODIFIER
        or mention.candidates[0].group != before.candidates[0].group
    ):
        return False
    return mention.candidates[0].match < FULL <= before.candidates[0].match
