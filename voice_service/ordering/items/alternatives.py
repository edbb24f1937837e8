"""Several named of which one is wanted: "a coke or a sprite"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import Act, Add, Ambiguity, ItemRequest, Problem
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


def follows_or(mentions: Sequence[Mention], start: int) -> bool:
    """Return whether an "or" without a name of its own comes before: "or can I get a sprite"."""
    for mention in reversed(mentions[:start]):
        if mention.cue(Cue.OR):
            return True
        if mention.role not in (MentionType.CUE, MentionType.UNKNOWN) or mention.cue(
            *_ENDS_A_CHOICE
        ):
            return False
    return False


def merge_vague_counts(mentions: Sequence[Mention]) -> list[Mention]:
    """Return the mentions with "three or four" as one vague count."""
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
            idle = first.as_cue(Cue.FILLER)
            joined[index : index + 3] = [idle, idle, Mention(vague, MentionType.CUE)]
    return joined


class Alternatives:
    """Collects the requests of which the guest wants only one."""

    def __init__(self, menu: CompiledMenu) -> None:
        self._menu = menu
        self._offers: list[list[ItemRequest]] = []
        self._listed: list[ItemRequest] = []

    def see(
        self,
        request: ItemRequest,
        previous: ItemRequest | None,
        between: Sequence[Mention],
        start: int,
    ) -> None:
        """Take the next request; its words begin `start` mentions after the name before it.

        "A coke, a sprite or a water" is one of three, if they are of one category.
        """
        if previous is None:
            self._listed = [request]
            return
        if follows_or(between, start):
            self._offer(request)
            self._listed = []
            return
        alike = self._kind(previous) == self._kind(request)
        commas = all(p.cue(Cue.COMMA) or p.idle for p in between[:start])
        self._listed = [*self._listed, request] if alike and commas else [request]

    def _offer(self, request: ItemRequest) -> None:
        """Add a request to what is listed before its "or", or to the alternatives begun there."""
        if self._listed:
            self._offers.append([*self._listed, request])
        elif self._offers:
            self._offers[-1].append(request)

    def wanted(self, requests: Sequence[ItemRequest]) -> list[ItemRequest]:
        """Return the requests that are wanted whatever the guest chooses."""
        offered = [id(g) for offer in self._offers for g in offer]
        return [g for g in requests if id(g) not in offered]

    def problems(self) -> list[Problem]:
        """Return what the guest has to be asked."""
        return [self._problem(offer) for offer in self._offers]

    def _problem(self, offer: Sequence[ItemRequest]) -> Problem:
        """Return the question which of the alternatives is meant, or which size of one item."""
        items = tuple(dict.fromkeys(i for g in offer for i in g.candidates or (g.item,)))
        names = tuple(self._menu.item_name(i) for i in items)
        if len(items) == 1:
            sizes = {g.size for g in offer if g.size is not None}
            code = ReasonCode.CONFLICTING_SIZE if len(sizes) > 1 else ReasonCode.AMBIGUOUS_MODIFIER
            return Problem(code, names[0], names)
        first = offer[0]
        asked = Ambiguity(items, options=tuple(offer))
        request = ItemRequest(first.item, first.quantity, ambiguity=asked)
        return Problem(ReasonCode.AMBIGUOUS_ITEM, "", names, request)

    def _kind(self, request: ItemRequest) -> str:
        return self._menu.items[request.item].category


def open_size(statements: Sequence[Statement], mentions: Sequence[Mention], start: int) -> str:
    """Return the words of "a small or" before "a large coke", else nothing.

    They leave the size open.
    """
    only = all(isinstance(statement, SizeStatement | ClauseBreak) for statement in statements)
    sizes = [statement.text for statement in statements if isinstance(statement, SizeStatement)]
    named = any(p.role is MentionType.SIZE for p in mentions[start:])
    return " ".join(sizes) if only and named and follows_or(mentions, start) else ""


def unknown_words(words: UnknownWords) -> Problem:
    """Return the reason for words that explain nothing."""
    return Problem(
        ReasonCode.UNKNOWN_ITEM if words.wanted else ReasonCode.NOT_UNDERSTOOD, words.text
    )


def choose_item(menu: CompiledMenu, category: CategoryStatement) -> Problem:
    """Return the question which item of a category is meant."""
    choices = tuple(menu.in_category(category.id))
    request = (
        ItemRequest(choices[0], category.count, ambiguity=Ambiguity(choices)) if choices else None
    )
    return Problem(
        ReasonCode.CHOOSE_ITEM, category.text, tuple(menu.item_name(i) for i in choices), request
    )


def is_listed_heading(act: Act, requests: Sequence[ItemRequest]) -> bool:
    """Return whether items named later answer the question: "two drinks, a cola and a lemonade"."""
    if not isinstance(act, Problem) or act.code is not ReasonCode.CHOOSE_ITEM:
        return False
    heading = act.request
    if heading is None:
        return False
    counts = [request.count for request in requests if request.item in heading.candidates]
    if heading.quantity is None:
        return bool(counts)  # "for dessert, a cookie"
    return len(counts) > 1 and sum(counts) == heading.quantity


def add_or_ask(request: ItemRequest, menu: CompiledMenu) -> Act:
    """Return the act that orders an item, or the question which one is meant if several fit."""
    if len(request.candidates) < 2:
        return Add(request)
    fitting = [c for c in request.candidates if _fits(menu, c, request)]
    if len(fitting) == 1:
        request.settle(fitting[0])
        return Add(request)
    names = tuple(menu.item_name(c) for c in (fitting or request.candidates))
    return Problem(ReasonCode.AMBIGUOUS_ITEM, "", names, request)


def _fits(menu: CompiledMenu, item: str, request: ItemRequest) -> bool:
    sized = request.size is None or request.size in menu.items[item].prices
    return sized and all(menu.has_group(item, m.group) for m in request.mods)
