"""Questions that the guest has not answered yet, and which changes answer them."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.acts import (
    Act,
    Add,
    ItemRequest,
    Modify,
    ModifyReferenced,
    Repeat,
    Replace,
    Target,
)
from voice_service.ordering.dialogue.turns import Reason
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ClosedBy, ReasonCode

MAX_REASONS = 50


class OpenQuestions:
    """What the guest was asked and has not answered, in the order in which it came up.

    `choice`: the request of which it was asked which item is meant.
    """

    def __init__(self, menu: CompiledMenu) -> None:
        self._menu = menu
        self.reasons: list[Reason] = []
        self.choice: ItemRequest | None = None
        self._chosen = False

    @property
    def candidates(self) -> tuple[str, ...]:
        """The items of which one is to be chosen."""
        return () if self.choice is None else self.choice.candidates

    @property
    def has_question(self) -> bool:
        """Whether any of them is put to the guest."""
        return any(r.question is not None for r in self.reasons)

    def add(self, asked: Sequence[Reason]) -> None:
        """Add questions; one that is asked again is not asked twice."""
        again = {(r.code, r.text) for r in asked}
        others = [r for r in self.reasons if (r.code, r.text) not in again]
        self.reasons = [*others, *asked][-MAX_REASONS:]

    def close_answered(self, acts: Sequence[Act], *, more: bool) -> None:
        """Close what `acts` answer by how they changed the order.

        `more`: they only go on ordering ("and a coke"), which answers nothing but a complaint.
        """
        self.close(ReasonCode.COMPLAINT)
        if more:
            return
        self.reasons = [r for r in self.reasons if keeps_question_open(r, acts)]

    def close_settled_by_done(self) -> None:
        """Close what nobody needs to answer once the guest calls the order complete."""
        self.reasons = [r for r in self.reasons if not self._settled_by_done(r)]

    def is_open(self, code: ReasonCode) -> bool:
        """Return whether a question of this kind is open."""
        return any(r.code is code for r in self.reasons)

    def close(self, code: ReasonCode) -> None:
        """Close the questions of this kind."""
        self.reasons = [r for r in self.reasons if r.code is not code]

    def choose(self) -> None:
        """Close the question which item is meant: one was named. `choice` is kept until `end`."""
        self._chosen = True
        self._close_choice_reasons()

    def end(self) -> None:
        """End the utterance: a choice that was made is no longer asked for."""
        if self._chosen:
            self.choice, self._chosen = None, False

    def close_choice(self) -> None:
        """Close the question which item is meant; none of them was chosen."""
        self.choice = None
        self._close_choice_reasons()

    def drop(self) -> None:
        """Close all questions."""
        self.reasons, self.choice = [], None

    def withdraw_unknown(self, text: str) -> bool:
        """Close the question about what is not on the menu: "forget the taco".

        Return whether there was one.
        """
        unknown = [r for r in self.reasons if (r.code, r.text) == (ReasonCode.UNKNOWN_ITEM, text)]
        self.reasons = [r for r in self.reasons if r not in unknown]
        return bool(unknown)

    def _close_choice_reasons(self) -> None:
        self.reasons = [r for r in self.reasons if r.handling.closed_by is not ClosedBy.CHOICE]

    def _settled_by_done(self, reason: Reason) -> bool:
        """Return whether nothing is left to ask.

        What was to go and has no name may be in the order still.
        """
        if not reason.handling.settled_by_done:
            return False
        key = "".join(keys_of(reason.text, self._menu.language))
        named = any(s.kind == "item" for s in self._menu.lexicon.find(key, reason.text))
        return reason.code != ReasonCode.NOT_IN_ORDER or named


def keeps_question_open(reason: Reason, acts: Sequence[Act]) -> bool:
    """Return whether the question of `reason` is still open after `acts` changed the order."""
    match reason.handling.closed_by:
        case ClosedBy.ANY_CHANGE:
            return False
        case ClosedBy.CHOICE:
            return True  # the conversation closes it when one of the items is named
        case ClosedBy.REQUEST:
            return not any(map(_requests, acts))
        case ClosedBy.QUANTITY:
            return all(change.quantity is None for change in _all_changes(acts))
        case ClosedBy.MODIFIER:
            return not any(change.mods for change in _all_changes(acts))
        case ClosedBy.SIZE:
            return all(change.size is None for change in _all_changes(acts))


def _all_changes(acts: Sequence[Act]) -> list[Modify]:
    return [change for act in acts for change in _changes(act)]


def _changes(act: Act) -> Sequence[Modify]:
    """Return what an act says of lines, including those that it adds."""
    match act:
        case Modify():
            return (act,)
        case ModifyReferenced(changes=changes):
            return changes
        case Add(request) | Replace(request=request):
            return (Modify(Target(), tuple(request.mods), request.size, request.quantity),)
        case _:
            return ()


def _requests(act: Act) -> bool:
    """Return whether an act asks for something, as a guest who was not understood would."""
    match act:
        case Modify(mods=mods, size=size, quantity=quantity, plain=plain):
            wanted = any(not mod.negated for mod in mods)
            return wanted or plain or size is not None or quantity is not None
        case ModifyReferenced(changes=changes):
            return any(map(_requests, changes))
        case Add() | Replace() | Repeat():
            return True
        case _:
            return False
