"""Mentions: phrases in the roles that they play in an utterance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from voice_service.ordering.acts import Description
from voice_service.ordering.language.cue_sets import IDLE
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.segmentation import Span
from voice_service.ordering.menu.lexicon import Candidate, Kind
from voice_service.ordering.menu.match import FULL

_ALIKE = 0.08  # items whose matches are this close are equally meant


class MentionType(Enum):
    """The role of a phrase in an utterance."""

    ITEM = auto()
    MODIFIER = auto()
    SIZE = auto()
    CATEGORY = auto()
    GROUP = auto()
    NUMBER = auto()
    CUE = auto()
    UNKNOWN = auto()


_ROLES: dict[Kind, MentionType] = {
    "item": MentionType.ITEM,
    "modifier": MentionType.MODIFIER,
    "size": MentionType.SIZE,
    "category": MentionType.CATEGORY,
    "group": MentionType.GROUP,
}


class Apart(Enum):
    """What a word points at that tells several of an item apart."""

    SOME = auto()  # some of those counted: "two lattes, one with oat milk"
    MORE = auto()  # so many more: "a latte and one with oat milk"
    ANOTHER = auto()  # one more like it: "a latte and another with oat milk"


@dataclass
class Mention:
    """A span in its role, with the `candidates` for that role.

    `also`: the modifiers that a size may be instead. `plural`: an item said in the plural. `such`:
    the description by which the mention points at lines ("the small one"). `portions`: how many of
    a modifier, where a number or a measure belongs to it ("two pumps of vanilla"). `apart`: it
    points at what the words behind it are true of.
    """

    span: Span
    role: MentionType
    candidates: tuple[Candidate, ...] = ()
    also: tuple[Candidate, ...] = ()
    plural: bool = False
    such: Description | None = None
    portions: int | None = None
    apart: Apart | None = None

    def cue(self, *cues: Cue) -> bool:
        """Return whether the mention acts as one of `cues`."""
        return self.role in (MentionType.CUE, MentionType.NUMBER) and self.span.has(*cues)

    @property
    def idle(self) -> bool:
        """True if the mention only fills the sentence."""
        return self.role is MentionType.CUE and self.span.cues <= IDLE

    def as_cue(self, cue: Cue) -> Mention:
        """Return its words as one cue and nothing else."""
        span = replace(self.span, candidates=(), cues=frozenset({cue}), value=None)
        return Mention(span, MentionType.CUE)

    def naming(self, *candidates: Candidate) -> Mention:
        """Return its words as the name of one of `candidates`, which are of one kind."""
        span = replace(self.span, candidates=candidates, cues=frozenset(), value=None)
        return Mention(span, _ROLES[candidates[0].kind], candidates, plural=self.plural)

    @property
    def items(self) -> tuple[str, ...]:
        """The items that it may mean: those whose names match best."""
        best = self.candidates[0].match
        return tuple(dict.fromkeys(s.id for s in self.candidates if s.match >= best - _ALIKE))


def candidates_of(span: Span, kind: Kind) -> tuple[Candidate, ...]:
    """Return what of one kind a phrase may name, the best match first."""
    return tuple(s for s in span.candidates if s.kind == kind)


def completes(mention: Mention, before: Mention) -> bool:
    """Return whether a mention may only complete the name before it: "almond milk base".

    It is part of a name, after a full name of the same group.
    """
    if (
        before.role is not MentionType.MODIFIER
        or mention.candidates[0].group != before.candidates[0].group
    ):
        return False
    return mention.candidates[0].match < FULL <= before.candidates[0].match
