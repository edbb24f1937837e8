"""One guest's order over many utterances: what was understood, and what has to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from order_events.models import OrderItem
from voice_service.ordering.acts import (
    Act,
    Add,
    Agree,
    Aside,
    Deny,
    Dismiss,
    Done,
    Group,
    Modify,
    Problem,
    Replace,
    Restart,
    Undo,
)
from voice_service.ordering.adopt import lines_of
from voice_service.ordering.cart import Cart, Line
from voice_service.ordering.checks import CONFIDENT, Checks
from voice_service.ordering.loose import CartView
from voice_service.ordering.matches import matched
from voice_service.ordering.menu import CompiledMenu
from voice_service.ordering.model import CartUpdate, Heard, Reason, Status
from voice_service.ordering.parser import Parsed, Parser
from voice_service.ordering.readback import joined, question, read_back

# How much of the recogniser's doubt in a word is left when the word is one of the menu. Of words
# that it gave 0.2 to 0.6 with a menu as bias, real guests had said 43 of 47, the fixtures 50 of 52.
_MENU_DOUBT = 0.5
_MISUNDERSTOOD = 3  # utterances in a row, then a person takes over
_MOST_REASONS = 50
_STAFF = frozenset({"allergy", "staff_requested", "quantity_limit", "order_limit", "not_following"})
_CHOICES = frozenset({"ambiguous_item", "choose_item"})
# A change that could not be made leaves an order that the guest has just called complete.
_SETTLED_BY_DONE = frozenset({"not_in_order", "nothing_to_undo", "what_first"})


@dataclass(frozen=True)
class _Waiting:
    """Words held back until the guest goes on, with the confidence of each."""

    text: str = ""
    confidences: tuple[float, ...] = ()


class Conversation:
    """Hears final transcripts and keeps the order. Deterministic; one per guest."""

    def __init__(self, menu: CompiledMenu) -> None:
        self._menu = menu
        self._parser = Parser(menu)
        self._cart = Cart(menu)
        self._checks = Checks(menu)
        self._open: list[Reason] = []
        self._staff: list[Reason] = []
        self._choice: Group | None = None
        self._waiting = _Waiting()
        self._done = False
        self._ended = False
        self._missed = 0
        self._utterance = 0

    def hear(self, heard: Heard) -> CartUpdate:
        """Takes one final transcript and answers with the whole order."""
        self._utterance = heard.utterance
        self._ended = False
        words = heard.text.split()
        own = tuple(w.confidence for w in heard.words)
        if len(own) != len(words):
            own = (heard.confidence,) * len(words)
        text = f"{self._waiting.text} {heard.text}".strip()
        confidences = self._waiting.confidences + own
        parsed = self._parser.parse(text, self._view())
        held = [w for part in parsed.carry for w in part.span.words]
        spoken = text.split()
        first = min(held, default=len(spoken))
        # A recogniser ends every utterance with a full stop; here the sentence goes on.
        waiting = " ".join(spoken[first:]).rstrip(".?!… ")
        self._waiting = _Waiting(waiting, confidences[first : first + len(waiting.split())])
        matches = matched(parsed.acts, spoken, self._menu)
        update = self._take(parsed, confidences)
        return replace(update, utterance=heard.utterance, matched=matches)

    def end(self) -> CartUpdate:
        """The guest is gone: what was held back is taken as it stands, and the order closes."""
        waiting, self._waiting = self._waiting, _Waiting()
        before = self._cart.lines
        if waiting.text:
            parsed = self._parser.parse(waiting.text, self._view(), final=True)
            self._take(parsed, waiting.confidences)
        self._done = self._ended = True
        return self._update([], changed=self._cart.lines != before)

    def adopt(self, items: Sequence[OrderItem]) -> CartUpdate:
        """Goes on with the order as staff have left it; what was still open they have settled.

        The update has the items that the guest can go on changing; a reason names each other one.
        """
        lines, left = lines_of(items, self._menu)
        self._cart.adopt(lines)
        self._waiting = _Waiting()
        self._let_go()
        self._done, self._missed = False, 0
        self._staff = [r for r in self._staff if r.code == "allergy"]
        notes = [Reason("left_by_staff", item.name, self._utterance) for item in left]
        return replace(self._update(notes, changed=True), utterance=self._utterance)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The order as it was said, without what the menu adds: for audits and benchmarks."""
        return self._cart.lines

    def _view(self) -> CartView:
        unsized = next(
            (line.item for line in reversed(self._cart.lines) if self._checks.unsized(line)), None
        )
        choices = self._choice.candidates if self._choice is not None else ()
        return CartView(self._cart.spoken_order, unsized, choices)

    def _take(self, parsed: Parsed, confidences: tuple[float, ...]) -> CartUpdate:
        before = self._cart.lines
        fresh: list[Reason] = []
        understood = False
        for act in parsed.acts:
            if not isinstance(act, Aside | Done):
                self._done = False
            reason = self._act(act, confidences)
            if reason is None:
                understood = True
            else:
                fresh.append(reason)
        asked = [r for r in fresh if r.question is not None]
        changed = self._cart.lines != before
        if understood and changed and not asked and not parsed.continues:
            self._open = []
        self._missed = self._missed + 1 if asked and not understood else 0
        if self._missed >= _MISUNDERSTOOD:
            self._note("not_following", "")
        self._open = [*self._open, *asked][-_MOST_REASONS:]
        return self._update([r for r in fresh if r.question is None], changed=changed)

    def _act(self, act: Act, confidences: tuple[float, ...]) -> Reason | None:
        match act:
            case Aside(code, text):
                return self._aside(code, text)
            case Problem():
                return self._reason(act)
            case Add(group):
                act = Add(self._chosen(group))
            case _:
                self._answer(act)
        problem = self._cart.apply(act, _confidence(act, confidences))
        return self._reason(problem) if problem is not None else None

    def _answer(self, act: Act) -> None:
        """What an act means for what has been asked."""
        match act:
            case Done():
                self._done = True
                self._open = [r for r in self._open if r.code not in _SETTLED_BY_DONE]
            case Agree():
                self._cart.settle(CONFIDENT)
            case Deny():
                self._cart.withdraw(CONFIDENT)
                self._let_go()
            case Dismiss() | Undo():
                self._let_go()
            case Restart():
                self._let_go()
                self._staff = [r for r in self._staff if r.code == "allergy"]
            case _:
                pass

    def _let_go(self) -> None:
        self._open, self._choice = [], None

    def _chosen(self, group: Group) -> Group:
        """The group with what was said when it was still open which item is meant."""
        asked, self._choice = self._choice, None
        if asked is None or group.item not in asked.candidates:
            return group
        self._open = [r for r in self._open if r.code not in _CHOICES]
        mods = {(m.id, m.group): m for m in (*asked.mods, *group.mods)}
        fitting = [
            m for m in mods.values() if m.group in self._menu.items[group.item].modifier_groups
        ]
        size = group.size or asked.size
        return replace(
            group,
            quantity=group.quantity if (group.quantity or 1) > 1 else asked.quantity,
            size=size if size in self._menu.items[group.item].prices else None,
            mods=fitting,
        )

    def _aside(self, code: str, text: str) -> Reason:
        reason = Reason(code, text, self._utterance, None)
        if code in _STAFF:
            self._note(code, text)
        return reason

    def _note(self, code: str, text: str) -> None:
        known = any((r.code, r.text) == (code, text) for r in self._staff)
        if not known and len(self._staff) < _MOST_REASONS:
            asked = question(code, self._menu, text=text)
            self._staff.append(Reason(code, text, self._utterance, asked))

    def _reason(self, problem: Problem) -> Reason:
        text = problem.text
        fields = {"text": text, "choices": joined(problem.choices, self._menu, word="or")}
        if problem.code in _CHOICES and problem.group is not None:
            self._choice = problem.group
            fields["text"] = text = text or fields["choices"]
        if problem.code == "size_not_available" and problem.group is not None:
            item = self._menu.items[problem.group.item]
            if not item.prices:
                # One size fits all: nothing to choose, so nothing to ask.
                return Reason("single_size", text, self._utterance, None)
            fields["text"] = item.name
            fields["choices"] = joined(
                [self._menu.sizes[s].name for s in item.prices], self._menu, word="or"
            )
        if problem.code in _STAFF:
            self._note(problem.code, text)
        return Reason(
            problem.code, text, self._utterance, question(problem.code, self._menu, **fields)
        )

    def _update(self, notes: list[Reason], *, changed: bool) -> CartUpdate:
        # A line that has no price yet is asked about; it would only make the rest unplaceable.
        items = tuple(
            self._checks.draft(line) for line in self._cart.lines if self._checks.complete(line)
        )
        lacking = self._checks.lacking(self._cart.lines, self._utterance)
        kept = [r for r in notes if r not in self._staff and r.code not in _STAFF]
        reasons = (*self._staff, *self._open, *lacking, *kept)
        status = self._status(reasons)
        text = read_back(items, self._menu, confirmed=status == "confirmed")
        asked = next((r.question for r in reasons if r.question), None)
        if asked is not None:
            text = f"{text} {asked}" if items else asked
        return CartUpdate(items, status, reasons, text, changed)

    def _status(self, reasons: tuple[Reason, ...]) -> Status:
        if any(r.code in _STAFF for r in reasons):
            return "needs_staff"
        if any(r.question is not None for r in reasons):
            return "needs_staff" if self._ended else "clarify"
        return "confirmed" if self._done and self._cart.lines else "listening"


def _confidence(act: Act, words: tuple[float, ...]) -> float:
    """How sure the act is: its least certain word, times how well the words match the menu.

    That words make sense on the menu speaks for them: see `_MENU_DOUBT`.
    """
    if not isinstance(act, Add | Replace | Modify):
        return 1.0
    if isinstance(act, Modify):
        used = [i for m in act.mods for i in m.words]
        quality = min((m.quality for m in act.mods), default=1.0)
    else:
        used = [*act.group.words, *(i for m in act.group.mods for i in m.words)]
        quality = min([act.group.quality, *(m.quality for m in act.group.mods)])
    heard = min((words[i] for i in used if i < len(words)), default=1.0)
    return max(0.0, min(1.0, (1.0 - _MENU_DOUBT * (1.0 - heard)) * quality))
