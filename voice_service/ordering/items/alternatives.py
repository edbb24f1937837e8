"""Where a guest names several and wants one of them: "a coke or a sprite"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import Ambiguity, ItemRequest, Problem
from voice_service.ordering.attributes.statements import (
    CategoryStatement,
    ClauseBreak,
    SizeStatement,
    Statement,
    UnknownWords,
)
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode

_ENDS_A_CHOICE = (Cue.AND, Cue.ADD, Cue.ALSO, Cue.STOP, Cue.NUMBER)


def or_before(mentions: Sequence[Mention], start: int) -> bool:
    """Whether an "or" and nothing with a name stands before `start`: "or can I get a sprite"."""
    for mention in reversed(mentions[:start]):
        if mention.cue(Cue.OR):
            return True
        if mention.role not in (MentionType.CUE, MentionType.UNKNOWN) or mention.cue(
            *_ENDS_A_CHOICE
        ):
            return False
    return False


def one_count(mentions: Sequence[Mention]) -> list[Mention]:
    """Parts with "three or four" as one number that nobody can count."""
    joined = list(mentions)
    for index in range(len(joined) - 2):
        first, link, second = joined[index : index + 3]
        if first.role is second.role is MentionType.NUMBER and link.cue(Cue.OR):
            spans = (first.span, link.span, second.span)
            vague = replace(
                second.span,
                text=" ".join(s.text for s in spans),
                cues=frozenset({Cue.VAGUE}),
                words=tuple(w for s in spans for w in s.words),
            )
            idle = replace(first.span, cues=frozenset({Cue.FILLER}))
            joined[index : index + 3] = [
                *2 * [Mention(idle, MentionType.CUE)],
                Mention(vague, MentionType.CUE),
            ]
    return joined


class Alternatives:
    """The groups of one stretch of which only one is wanted."""

    def __init__(self, menu: CompiledMenu) -> None:
        self._menu = menu
        self._offers: list[list[ItemRequest]] = []
        self._listed: list[ItemRequest] = []

    def see(
        self,
        group: ItemRequest,
        previous: ItemRequest | None,
        between: Sequence[Mention],
        start: int,
    ) -> None:
        """Takes the next group, whose words begin `start` parts behind the name before it.

        "A coke, a sprite or a water" is one of three, if they are of one kind.
        """
        if previous is None:
            self._listed = [group]
            return
        if or_before(between, start):
            self._offer(group)
            self._listed = []
            return
        alike = self._kind(previous) == self._kind(group)
        commas = all(p.cue(Cue.COMMA) or p.idle for p in between[:start])
        self._listed = [*self._listed, group] if alike and commas else [group]

    def _offer(self, group: ItemRequest) -> None:
        if self._listed:
            self._offers.append([*self._listed, group])
        elif self._offers:
            self._offers[-1].append(group)

    def taken(self, groups: Sequence[ItemRequest]) -> list[ItemRequest]:
        """The groups that are wanted whatever is chosen."""
        offered = [id(g) for offer in self._offers for g in offer]
        return [g for g in groups if id(g) not in offered]

    def problems(self) -> list[Problem]:
        """What has to be asked."""
        return [self._problem(offer) for offer in self._offers]

    def _problem(self, offer: Sequence[ItemRequest]) -> Problem:
        items = tuple(dict.fromkeys(i for g in offer for i in g.candidates or (g.item,)))
        names = tuple(self._menu.item_name(i) for i in items)
        if len(items) == 1:
            sizes = {g.size for g in offer if g.size is not None}
            code = ReasonCode.CONFLICTING_SIZE if len(sizes) > 1 else ReasonCode.AMBIGUOUS_MODIFIER
            return Problem(code, names[0], names)
        first = offer[0]
        asked = Ambiguity(items, options=tuple(offer))
        group = ItemRequest(first.item, first.quantity, ambiguity=asked)
        return Problem(ReasonCode.AMBIGUOUS_ITEM, "", names, group)

    def _kind(self, group: ItemRequest) -> str:
        return self._menu.items[group.item].category


def either_size(before: Sequence[Statement], mentions: Sequence[Mention], start: int) -> str:
    """The words of "a small or" before "a large coke", which leave the size open; else nothing."""
    only = all(isinstance(said, SizeStatement | ClauseBreak) for said in before)
    sizes = [said.text for said in before if isinstance(said, SizeStatement)]
    named = any(p.role is MentionType.SIZE for p in mentions[start:])
    return " ".join(sizes) if only and named and or_before(mentions, start) else ""


def unknown(said: UnknownWords) -> Problem:
    """The reason for words that explain nothing."""
    return Problem(ReasonCode.UNKNOWN_ITEM if said.wanted else ReasonCode.NOT_UNDERSTOOD, said.text)


def choose_item(menu: CompiledMenu, said: CategoryStatement) -> Problem:
    """A category was asked for, without saying which of its items."""
    choices = tuple(menu.in_category(said.id))
    group = ItemRequest(choices[0], said.count, ambiguity=Ambiguity(choices)) if choices else None
    return Problem(
        ReasonCode.CHOOSE_ITEM, said.text, tuple(menu.item_name(i) for i in choices), group
    )
