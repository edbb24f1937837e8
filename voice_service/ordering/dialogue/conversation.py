"""One guest's order over many utterances: what was understood, and what has to be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from order_events.domain.drafts import ItemDraft
from order_events.domain.models import OrderItem
from voice_service.ordering.acts import (
    Act,
    Add,
    Agree,
    Aside,
    Deny,
    Dismiss,
    Done,
    ItemRequest,
    Problem,
    Remove,
    Replace,
    Restart,
    Target,
    Undo,
    not_understood,
)
from voice_service.ordering.cart.cart import Cart
from voice_service.ordering.cart.handback import lines_of
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.dialogue.confidence import Evidence
from voice_service.ordering.dialogue.open_questions import keeps_question_open
from voice_service.ordering.dialogue.policy import DEFAULT, Thresholds
from voice_service.ordering.dialogue.provenance import matched
from voice_service.ordering.dialogue.readback import joined, question, read_back, read_change
from voice_service.ordering.dialogue.rescoring import Chooser
from voice_service.ordering.dialogue.turn_end import judge
from voice_service.ordering.dialogue.turns import CartUpdate, Heard, Reason, Status
from voice_service.ordering.dialogue.validation import Checks
from voice_service.ordering.intents.parser import Parsed, Parser
from voice_service.ordering.language.tokens import keys_of, plural
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.reasons import ClosedBy, ReasonCode
from voice_service.utterances.turn_end import TurnEnd

_MOST_REASONS = 50
_NOTE_LETTERS = 400


def _ids(draft: ItemDraft) -> tuple[str | None, str | None]:
    return draft.id, draft.part_of


@dataclass(frozen=True)
class _Waiting:
    """Words held back until the guest goes on, with the confidence of each."""

    text: str = ""
    confidences: tuple[float, ...] = ()


class Conversation:
    """Hears final transcripts and keeps the order. Deterministic; one per guest."""

    def __init__(
        self, menu: CompiledMenu, thresholds: Thresholds = DEFAULT, *, at: datetime | None = None
    ) -> None:
        """`at`: when the guest began, which decides what is served; None serves everything."""
        self._menu = menu
        self._thresholds = thresholds
        self._parser = Parser(menu)
        self._cart = Cart(menu, menu.closed(at) if at is not None else frozenset())
        self._checks = Checks(menu, thresholds)
        self._open: list[Reason] = []
        self._staff: list[Reason] = []
        self._choice: ItemRequest | None = None
        self._denied = False
        self._answered = False  # this utterance has said which one
        self._about: tuple[Candidate, ...] = ()
        self._ordered = False  # the utterance before changed the order
        self._waiting = _Waiting()
        self._done = False
        self._ended = False
        self._missed = 0
        self._utterance = 0
        self._told: tuple[ItemDraft, ...] = ()

    def hear(self, heard: Heard) -> CartUpdate:
        """Takes one final transcript and answers with the whole order."""
        self._utterance = heard.utterance
        self._ended = False
        self._cart.begin()
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

    def overhear(self, heard: Heard) -> CartUpdate:
        """Takes what may be other people's talk: it changes nothing, but an allergy is noted."""
        self._utterance = heard.utterance
        parsed = self._parser.parse(heard.text, self._view(), final=True)
        allergies = [
            a for a in parsed.acts if isinstance(a, Aside) and a.code == ReasonCode.ALLERGY
        ]
        notes = [self._aside(a.code, a.text) for a in allergies]
        return replace(self._update(notes, changed=False), utterance=heard.utterance)

    def end(self) -> CartUpdate:
        """The guest is gone: what was held back is taken as it stands, and the order closes."""
        waiting, self._waiting = self._waiting, _Waiting()
        before = self._cart.lines
        if waiting.text:
            parsed = self._parser.parse(waiting.text, self._view(), final=True)
            self._take(parsed, waiting.confidences)
        self._done = self._ended = True
        return self._update([], changed=self._cart.lines != before)

    def adopt(self, items: Sequence[OrderItem]) -> tuple[CartUpdate, tuple[OrderItem, ...]]:
        """Goes on with the order as staff have left it; what was still open they have settled.

        The update has the items that the guest can go on changing. The other ones, which a reason
        names, are for the caller to keep.
        """
        lines, left = lines_of(items, self._menu)
        self._cart.adopt(lines)
        self._waiting = _Waiting()
        self._let_go()
        self._done, self._missed = False, 0
        self._staff = [r for r in self._staff if r.code == ReasonCode.ALLERGY]
        notes = [Reason(ReasonCode.LEFT_BY_STAFF, item.name, self._utterance) for item in left]
        return replace(self._update(notes, changed=True), utterance=self._utterance), left

    def chooser(self) -> Callable[[Sequence[str]], int]:
        """Which of several texts makes most sense if it is heard now; may be called anywhere."""
        return Chooser(self._parser, self._view(), self._waiting.text)

    def ending(self, text: str) -> TurnEnd:
        """How the order stands if the guest pauses after `text`; changes nothing."""
        parsed = self._parser.parse(f"{self._waiting.text} {text}".strip(), self._view())
        return judge(text, parsed, self._menu)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The order as it was said, without what the menu adds: for audits and benchmarks."""
        return self._cart.lines

    def _view(self) -> CartView:
        lines = self._cart.lines
        unsized = next((x.item for x in reversed(lines) if self._checks.unsized(x, lines)), None)
        choices = self._choice.candidates if self._choice is not None else self._cart.wanted
        asked = any(r.question is not None for r in self._open)
        about = () if asked else self._about
        whole = tuple(line for line in lines if line.part_of is None)
        offered = self._choice.candidates if self._choice is not None else ()
        order, single = self._cart.spoken_order, self._cart.single
        return CartView(order, unsized, choices, about, single, whole, offered)

    def _take(self, parsed: Parsed, confidences: tuple[float, ...]) -> CartUpdate:
        before = self._cart.lines
        evidence = Evidence(parsed, confidences, self._thresholds.menu_doubt)
        fresh: list[Reason] = []
        understood = False
        if parsed.denies:
            self._close_choice()
        # A "no" to what was just changed, and words that nothing explains.
        self._denied = parsed.denies and self._ordered
        for act in parsed.acts:
            if not isinstance(act, Aside | Done):
                self._done = False
            reason = self._act(act, evidence)
            if reason is None:
                understood = True
            else:
                fresh.append(reason)
        if self._answered:
            self._choice, self._answered = None, False
        asked = [r for r in fresh if r.question is not None]
        if parsed.about or any(not isinstance(act, Aside) for act in parsed.acts):
            self._about = parsed.about
        self._ordered = changed = self._cart.lines != before
        if understood and changed and not asked and not parsed.continues:
            self._open = [r for r in self._open if keeps_question_open(r, parsed.acts)]
        self._missed = self._missed + 1 if asked and not understood else 0
        if self._missed >= self._thresholds.misunderstood:
            self._note(ReasonCode.NOT_FOLLOWING, "")
        again = {(r.code, r.text) for r in asked}
        still = [r for r in self._open if (r.code, r.text) not in again]
        self._open = [*still, *asked][-_MOST_REASONS:]
        return self._update([r for r in fresh if r.question is None], changed=changed)

    def _act(self, act: Act, evidence: Evidence) -> Reason | None:
        match act:
            case Aside(ReasonCode.OFF_TOPIC, text) if self._denied:
                return self._reason(not_understood(text))
            case Aside(code, text):
                return self._aside(code, text)
            case Problem(ReasonCode.NOT_IN_ORDER, text) if self._lets_go_of(text):
                return None
            case Problem():
                return self._reason(act)
            case Add(group):
                act = self._chosen(group)
            case Dismiss(text) if self._ordered and not self._asked():
                # Nothing was asked: is it what was just ordered that the guest lets go of?
                return self._reason(not_understood(text))
            case _:
                self._answer(act)
        problem = self._cart.apply(act, evidence.confidence(act))
        return self._reason(problem) if problem is not None else None

    def _answer(self, act: Act) -> None:
        """What an act means for what has been asked."""
        match act:
            case Done():
                self._done = True
                self._open = [r for r in self._open if not self._settled_by_done(r)]
            case Agree():
                self._cart.settle(self._thresholds.item_confidence)
            case Deny():
                self._cart.withdraw(self._thresholds.item_confidence)
                self._let_go()
            case Dismiss() | Undo():
                self._let_go()
            case Restart():
                self._let_go()
                self._staff = [r for r in self._staff if r.code == ReasonCode.ALLERGY]
            case _:
                pass

    def _settled_by_done(self, reason: Reason) -> bool:
        """Whether nothing is left to ask; what was to go and has no name may be there still."""
        if not reason.handling.settled_by_done:
            return False
        key = "".join(keys_of(reason.text, self._menu.language))
        named = any(s.kind == "item" for s in self._menu.lexicon.find(key, reason.text))
        return reason.code != ReasonCode.NOT_IN_ORDER or named

    def _asked(self) -> bool:
        """Whether the guest still has something to answer."""
        lacking = self._checks.lacking(self._cart.lines, self._utterance)
        return any(r.question is not None for r in (*self._open, *lacking))

    def _let_go(self) -> None:
        self._open, self._choice = [], None

    def _lets_go_of(self, text: str) -> bool:
        """Whether something that we do not have is wanted no longer: "forget the taco"."""
        unknown = [r for r in self._open if (r.code, r.text) == (ReasonCode.UNKNOWN_ITEM, text)]
        self._open = [r for r in self._open if r not in unknown]
        return bool(unknown)

    def _close_choice(self) -> None:
        self._choice = None
        self._open = [r for r in self._open if r.handling.closed_by is not ClosedBy.CHOICE]

    def _chosen(self, group: ItemRequest) -> Act:
        """What an item comes to if it was asked which one is meant."""
        asked = self._choice
        if asked is None:
            return Add(group)
        kinds = {self._menu.items[i].category for i in asked.candidates}
        if group.item not in asked.candidates:
            if self._menu.items[group.item].category in kinds:
                self._close_choice()
            return Add(group)
        self._answered = True
        self._open = [r for r in self._open if r.handling.closed_by is not ClosedBy.CHOICE]
        if asked.ambiguity.removes:
            return Remove(Target((group.item,)), text=self._menu.item_name(group.item))
        whole = self._as_asked(group, asked)
        replaces = asked.ambiguity.replaces
        return Add(whole) if replaces is None else Replace(replaces, whole)

    def _as_asked(self, group: ItemRequest, asked: ItemRequest) -> ItemRequest:
        """The group with what was said when it was still open which item is meant."""
        asked = next((g for g in asked.ambiguity.options if g.item == group.item), asked)
        mods = {(m.id, m.group): m for m in (*asked.mods, *group.mods)}
        fitting = [m for m in mods.values() if self._menu.has_group(group.item, m.group)]
        size = group.size or asked.size
        additional = group.counting.additional or asked.counting.additional
        return replace(
            group,
            counting=replace(group.counting, additional=additional),
            quantity=group.quantity if (group.quantity or 1) > 1 else asked.quantity,
            size=size if size in self._menu.items[group.item].prices else None,
            mods=fitting,
        )

    def _aside(self, code: ReasonCode, text: str) -> Reason:
        reason = Reason(code, text, self._utterance, None)
        if code.handling.calls_staff:
            self._note(code, text)
        return reason

    def _note(self, code: ReasonCode, text: str) -> None:
        if code == ReasonCode.ALLERGY:
            # "I'm allergic to", and after a pause, what to.
            self._staff = [r for r in self._staff if r.code != code or r.text not in text]
        known = any((r.code, r.text) == (code, text) for r in self._staff)
        if not known and len(self._staff) < _MOST_REASONS:
            asked = question(code, self._menu, text=text)
            self._staff.append(Reason(code, text, self._utterance, asked))

    def _reason(self, problem: Problem) -> Reason:
        text = problem.text
        fields = {"text": text, "choices": joined(problem.choices, self._menu, word="or")}
        if problem.code.handling.closed_by is ClosedBy.CHOICE and problem.request is not None:
            self._choice = problem.request
            fields["text"] = text = text or fields["choices"]
        if problem.code == ReasonCode.AMBIGUOUS_QUANTITY:
            fields["text"] = plural(text, self._menu.language)
        if problem.code == ReasonCode.SIZE_NOT_AVAILABLE and problem.request is not None:
            item = self._menu.items[problem.request.item]
            if not item.prices:
                # One size fits all: nothing to choose, so nothing to ask.
                return Reason(ReasonCode.SINGLE_SIZE, text, self._utterance, None)
            fields["text"] = item.name
            fields["choices"] = joined(
                [self._menu.sizes[s].name for s in item.prices], self._menu, word="or"
            )
        if problem.code.handling.calls_staff:
            self._note(problem.code, text)
        return Reason(
            problem.code, text, self._utterance, question(problem.code, self._menu, **fields)
        )

    def _update(self, notes: list[Reason], *, changed: bool) -> CartUpdate:
        items = self._items()
        lacking = self._checks.lacking(self._cart.lines, self._utterance)
        kept = [r for r in notes if r not in self._staff and not r.handling.calls_staff]
        reasons = (*self._staff, *self._open, *lacking, *kept)
        status = self._status(reasons)
        text = read_back(items, self._menu, confirmed=status == "confirmed")
        asked = next((r.question for r in reasons if r.question), None)
        if asked is not None:
            text = f"{text} {asked}" if items else asked
        told, self._told = self._told, items
        change = read_change(told, items, self._menu)
        settled = not any(r.question is not None and not r.handling.beside_order for r in reasons)
        return CartUpdate(items, status, reasons, text, changed, change, self._notes(), settled)

    def _items(self) -> tuple[ItemDraft, ...]:
        """The lines as they go to the hub.

        One that has no price yet is asked about; it would only make the rest unplaceable. What was
        placed of it stays until the answer makes it whole again.
        """
        lines, checks = self._cart.lines, self._checks
        items: list[ItemDraft] = []
        for line in lines:
            if checks.complete(line, lines):
                items.append(checks.draft(line, lines))
            elif any((d.id, d.menu_item_id) == (line.id, line.item) for d in self._told):
                items += [d for d in self._told if line.part_of is None and line.id in _ids(d)]
        return tuple(items)

    def _notes(self) -> str | None:
        """What staff must see on the order itself, in the language of the restaurant."""
        note = self._menu.staff_texts["allergy_note"]
        told = [note.format(text=r.text) for r in self._staff if r.code == ReasonCode.ALLERGY]
        return "\n".join(told)[:_NOTE_LETTERS] or None

    def _status(self, reasons: tuple[Reason, ...]) -> Status:
        if any(r.handling.calls_staff for r in reasons):
            return "needs_staff"
        if any(r.question is not None for r in reasons):
            return "needs_staff" if self._ended else "clarify"
        return "confirmed" if self._done and self._cart.lines else "listening"
