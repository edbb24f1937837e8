"""One guest's order over many utterances: what was understood, and what has to be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from voice_service.ordering.dialogue.choices import as_asked
from voice_service.ordering.dialogue.confidence import NOT_HEARD, Evidence, Hearing, hearing_of
from voice_service.ordering.dialogue.guest import Guest
from voice_service.ordering.dialogue.meaning import Meaning
from voice_service.ordering.dialogue.open_questions import OpenQuestions
from voice_service.ordering.dialogue.policy import DEFAULT, Thresholds
from voice_service.ordering.dialogue.provenance import match_words
from voice_service.ordering.dialogue.readback import joined, question, read_back, read_change
from voice_service.ordering.dialogue.rescoring import HypothesisChooser
from voice_service.ordering.dialogue.staff_calls import StaffCalls
from voice_service.ordering.dialogue.turn_end import judge_turn_end
from voice_service.ordering.dialogue.turns import CartUpdate, Heard, Reason, Status
from voice_service.ordering.dialogue.validation import LineChecks
from voice_service.ordering.intents.parser import Parsed, Parser
from voice_service.ordering.language.tokens import plural
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.readings.model import LogLinear, Ranker
from voice_service.ordering.reasons import ClosedBy, ReasonCode
from voice_service.ordering.weights import fitted
from voice_service.utterances.turn_end import TurnEnd

_COUNTS = ("1", "2", "3", "4")
"""Answers to "how many" that a screen offers."""


def _ids(draft: ItemDraft) -> tuple[str | None, str | None]:
    return draft.id, draft.part_of


@dataclass(frozen=True)
class _HeldBack:
    """Words held back until the guest goes on, and how they were heard."""

    text: str = ""
    hearing: Hearing = NOT_HEARD


class Conversation:
    """Hears final transcripts and keeps the order. Deterministic; one per guest."""

    def __init__(
        self,
        menu: CompiledMenu,
        thresholds: Thresholds = DEFAULT,
        *,
        at: datetime | None = None,
        ranker: Ranker | None = None,
        spoken: Mapping[str, CompiledMenu] | None = None,
    ) -> None:
        """`at`: when the guest began, which decides what is served; None serves everything.

        `spoken`: the menu for each language that utterances may be in, by ISO 639 code.
        `ranker` decides between readings; None takes the fitted one.
        """
        self._menu = menu
        self._thresholds = thresholds
        self._parsers = {code: Parser(own) for code, own in (spoken or {}).items()}
        self._parser = next(iter(self._parsers.values()), None) or Parser(menu)
        self._cart = Cart(menu, menu.closed(at) if at is not None else frozenset())
        self._checks = LineChecks(menu, thresholds)
        self._questions = OpenQuestions(menu)
        self._meaning = Meaning(
            menu, self._cart, self._questions, ranker or LogLinear(fitted().readings)
        )
        self._staff = StaffCalls(menu)
        self._guest = Guest()
        self._denies_last_change = False
        self._asked_about: tuple[Candidate, ...] = ()
        self._changed_last = False  # the utterance before changed the order
        self._held_back = _HeldBack()
        self._done = False
        self._ended = False
        self._not_understood_in_a_row = 0
        self._utterance = 0
        self._last_items: tuple[ItemDraft, ...] = ()

    def hear(self, heard: Heard) -> CartUpdate:
        """Take one final transcript and return the whole order."""
        self._utterance = heard.utterance
        self._parser = self._parsers.get(heard.language, self._parser)
        self._ended = False
        self._cart.begin()
        text = f"{self._held_back.text} {heard.text}".strip()
        hearing = hearing_of(heard, self._held_back.hearing.words)
        held = len(self._held_back.hearing.words)
        parsed = self._parser.parse(text, self._cart_view(), waiting=held)
        words = text.split()
        incomplete = [w for mention in parsed.incomplete for w in mention.span.words]
        first = min(incomplete, default=len(words))
        # A recogniser ends every utterance with a full stop; here the sentence goes on.
        waiting = " ".join(words[first:]).rstrip(".?!… ")
        left = hearing.words[first : first + len(waiting.split())]
        self._held_back = _HeldBack(waiting, replace(hearing, words=left))
        return self._understand(parsed, text, hearing)

    def overhear(self, heard: Heard) -> CartUpdate:
        """Take what may be other people's talk: it changes nothing, but an allergy is noted."""
        self._utterance = heard.utterance
        self._parser = self._parsers.get(heard.language, self._parser)
        parsed = self._parser.parse(heard.text, self._cart_view(), final=True)
        asides = [act for act in parsed.acts if isinstance(act, Aside)]
        notes = [self._aside(a.code, a.text) for a in asides if a.code is ReasonCode.ALLERGY]
        return replace(self._update(notes, changed=False), utterance=heard.utterance)

    def end(self) -> CartUpdate:
        """Close the order of a guest who is gone.

        Words held back are taken as they stand. If they change the order, which nobody has told the
        guest, it is for a person to ask about them.
        """
        waiting, self._held_back = self._held_back, _HeldBack()
        before = self._cart.lines
        self._ended = True
        told = None
        if waiting.text:
            parsed = self._parser.parse(waiting.text, self._cart_view(), final=True)
            told = self._understand(parsed, waiting.text, waiting.hearing)
            if self._cart.lines != before:
                broken_off = Problem(ReasonCode.LOW_CONFIDENCE, waiting.text)
                self._questions.add([self._reason(broken_off)])
        self._done = True
        update = self._update([], changed=self._cart.lines != before)
        update = replace(update, utterance=self._utterance)
        if told is None:
            return update
        return replace(update, change=told.change, matched=told.matched, readings=told.readings)

    def adopt(self, items: Sequence[OrderItem]) -> tuple[CartUpdate, tuple[OrderItem, ...]]:
        """Go on with the order as staff have left it; what was still open they have settled.

        The update has the items that the guest can go on changing. The other ones, which a reason
        names, are for the caller to keep.
        """
        lines, left = lines_of(items, self._menu)
        self._cart.adopt(lines)
        self._held_back = _HeldBack()
        self._questions.drop()
        self._done, self._not_understood_in_a_row = False, 0
        self._staff.keep_allergies()
        notes = [Reason(ReasonCode.LEFT_BY_STAFF, item.name, self._utterance) for item in left]
        return replace(self._update(notes, changed=True), utterance=self._utterance), left

    def change_quantity(self, line_id: str, quantity: int) -> CartUpdate | None:
        """Set how many there are of a line, 0 to take it out, as a guest does on a screen.

        None if there is no such line. What was asked stays open.
        """
        if not self._cart.set_quantity(line_id, quantity):
            return None
        return replace(self._update([], changed=True), utterance=self._utterance)

    def call_staff(self) -> CartUpdate:
        """Note that the guest has asked for a person, other than in words."""
        self._staff.add(ReasonCode.STAFF_REQUESTED, "", self._utterance)
        return replace(self._update([], changed=False), utterance=self._utterance)

    def chooser(self) -> HypothesisChooser:
        """Return what tells which of several texts makes most sense if heard now."""
        return HypothesisChooser(self._parser, self._cart_view(), self._held_back.text)

    def ending(self, text: str) -> TurnEnd:
        """Return how the order stands if the guest pauses after `text`; nothing changes."""
        parsed = self._parser.parse(f"{self._held_back.text} {text}".strip(), self._cart_view())
        return judge_turn_end(text, parsed, self._menu)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The order as it was said, without what the menu adds: for audits and benchmarks."""
        return self._cart.lines

    def _cart_view(self) -> CartView:
        lines = self._cart.lines
        unsized = next((x.item for x in reversed(lines) if self._checks.unsized(x, lines)), None)
        choosing = self._questions.choice is not None
        return CartView(
            items=self._cart.spoken_order,
            unsized=unsized,
            choices=self._questions.candidates if choosing else self._cart.wanted,
            about=() if self._questions.has_question else self._asked_about,
            lines=tuple(line for line in lines if line.part_of is None),
            offered=self._questions.candidates,
        )

    def _understand(self, parsed: Parsed, text: str, hearing: Hearing) -> CartUpdate:
        """Apply what an utterance means; return the order, and what its words were taken for."""
        meant = self._meaning.of(parsed, text)
        update = self._apply(meant.parsed, hearing)
        matches = match_words(parsed.acts, text.split(), self._menu)
        return replace(update, utterance=self._utterance, matched=matches, readings=meant.readings)

    def _apply(self, parsed: Parsed, hearing: Hearing) -> CartUpdate:
        """Apply what an utterance asks for, and return the order as that leaves it."""
        before = self._cart.lines
        self._guest.hear(span.entity for span in parsed.spans if span.entity is not None)
        if parsed.denies:
            self._questions.close_choice()
        # With words that nothing explains, a "no" may be meant for what was just changed.
        self._denies_last_change = parsed.denies and self._changed_last
        evidence = Evidence(parsed, hearing, self._thresholds.menu_doubt)
        outcomes = [self._apply_act(act, evidence) for act in parsed.acts]
        self._questions.end()
        reasons = [reason for reason in outcomes if reason is not None]
        understood = len(reasons) < len(outcomes)
        asked = [r for r in reasons if r.question is not None]
        if parsed.asked_about or any(not isinstance(act, Aside) for act in parsed.acts):
            self._asked_about = parsed.asked_about
        self._changed_last = changed = self._cart.lines != before
        self._meaning.see(before)
        if understood and changed and not asked:
            self._questions.close_answered(parsed.acts, more=parsed.continues)
        failed = bool(asked) and not understood
        self._not_understood_in_a_row = self._not_understood_in_a_row + 1 if failed else 0
        if self._not_understood_in_a_row >= self._thresholds.misunderstood:
            self._staff.add(ReasonCode.NOT_FOLLOWING, "", self._utterance)
        self._questions.add(asked)
        return self._update([r for r in reasons if r.question is None], changed=changed)

    def _apply_act(self, act: Act, evidence: Evidence) -> Reason | None:
        """Apply one act; return why it could not be, if it could not."""
        if not isinstance(act, Aside | Done):
            self._done = False
        match act:
            case Aside(ReasonCode.OFF_TOPIC, text) if self._denies_last_change:
                return self._reason(not_understood(text))
            case Aside(code, text):
                return self._aside(code, text)
            case Problem(ReasonCode.NOT_IN_ORDER, text) if self._questions.withdraw_unknown(text):
                return None
            case Problem():
                return self._reason(act)
            case Add(request):
                act = self._chosen(request, evidence.parsed)
            case Dismiss(text) if self._changed_last and not self._is_asking():
                # Nothing was asked: is it what was just ordered that the guest lets go of?
                return self._reason(not_understood(text))
            case _:
                self._close_questions(act)
        problem = self._cart.apply(act, evidence.grounds(act))
        return self._reason(problem) if problem is not None else None

    def _close_questions(self, act: Act) -> None:
        """Close what an act about the whole order answers."""
        match act:
            case Done():
                self._done = True
                self._questions.close_settled_by_done()
            case Agree():
                self._cart.settle(self._thresholds.least_confidence)
                self._questions.close(ReasonCode.COMPLAINT)
            case Deny():
                self._cart.withdraw(self._thresholds.least_confidence)
                self._questions.drop()
            case Dismiss() | Undo():
                self._questions.drop()
            case Restart():
                self._questions.drop()
                self._staff.keep_allergies()
            case _:
                pass

    def _is_asking(self) -> bool:
        """Return whether the guest still has something to answer."""
        lacking = self._checks.lacking(self._cart.lines, self._utterance)
        return self._questions.has_question or any(r.question is not None for r in lacking)

    def _chosen(self, request: ItemRequest, parsed: Parsed) -> Act:
        """Return what naming an item does where it was asked which one is meant."""
        asked = self._questions.choice
        if asked is None:
            return Add(request)
        kinds = {self._menu.items[i].category for i in asked.candidates}
        if request.item not in asked.candidates:
            if self._menu.items[request.item].category in kinds:
                self._questions.close_choice()
            return Add(request)
        self._questions.choose()
        if asked.ambiguity.removes:
            return Remove(Target((request.item,)), text=self._menu.item_name(request.item))
        named = [a.request.item for a in parsed.acts if isinstance(a, Add)]
        alone = len({*asked.candidates} & {*named}) == 1
        whole = as_asked(request, asked, self._menu, alone=alone)
        replaces = asked.ambiguity.replaces
        return Add(whole) if replaces is None else Replace(replaces, whole)

    def _aside(self, code: ReasonCode, text: str) -> Reason:
        """Return the reason for words that order nothing, and tell staff if they must know."""
        if code.handling.calls_staff:
            self._staff.add(code, text, self._utterance)
        return Reason(code, text, self._utterance, None)

    def _reason(self, problem: Problem) -> Reason:
        """Return the reason for a problem, with the question to ask about it."""
        code, text, request = problem.code, problem.text, problem.request
        choices = problem.choices
        fields = {"text": text, "choices": joined(problem.choices, self._menu, word="or")}
        if code.handling.closed_by is ClosedBy.CHOICE and request is not None:
            self._questions.choice = request
            fields["text"] = text = text or fields["choices"]
        if code is ReasonCode.AMBIGUOUS_QUANTITY:
            fields["text"] = plural(text, self._menu.language)
            choices = _COUNTS
        if code is ReasonCode.SIZE_NOT_AVAILABLE and request is not None:
            item = self._menu.items[request.item]
            if not item.prices:
                # One size fits all: nothing to choose, so nothing to ask.
                return Reason(ReasonCode.SINGLE_SIZE, text, self._utterance, None)
            choices = tuple(self._menu.sizes[s].name for s in item.prices)
            fields = {"text": item.name, "choices": joined(choices, self._menu, word="or")}
        if code.handling.calls_staff:
            self._staff.add(code, text, self._utterance)
        asked = question(code, self._menu, **fields)
        return Reason(code, text, self._utterance, asked, choices)

    def _update(self, notes: list[Reason], *, changed: bool) -> CartUpdate:
        """Return the order as it stands; `notes` are reasons that ask nothing."""
        items = self._items()
        lacking = self._checks.lacking(self._cart.lines, self._utterance)
        staff = self._staff.reasons
        kept = [r for r in notes if r not in staff and not r.handling.calls_staff]
        reasons = (*staff, *self._questions.reasons, *lacking, *kept)
        status = self._status(reasons)
        text = read_back(items, self._menu, confirmed=status == "confirmed")
        asked = next((r.question for r in reasons if r.question), None)
        if asked is not None:
            text = f"{text} {asked}" if items else asked
        before, self._last_items = self._last_items, items
        return CartUpdate(
            items=items,
            status=status,
            reasons=reasons,
            readback=text,
            changed=changed,
            change=read_change(before, items, self._menu),
            notes=self._staff.notes(),
            customer_name=self._guest.name,
            table_number=self._guest.table if self._menu.menu.table_service else None,
            settled=not any(
                r.question is not None and not r.handling.beside_order for r in reasons
            ),
        )

    def _items(self) -> tuple[ItemDraft, ...]:
        """Return the lines as they go to the hub.

        A line that has no price yet would only make the rest unplaceable: it is asked about, and
        what was placed of it stays until the answer makes it whole again.
        """
        lines, checks = self._cart.lines, self._checks
        items: list[ItemDraft] = []
        for line in lines:
            if checks.complete(line, lines):
                items.append(checks.draft(line, lines))
            elif any((d.id, d.menu_item_id) == (line.id, line.item) for d in self._last_items):
                items += [
                    d for d in self._last_items if line.part_of is None and line.id in _ids(d)
                ]
        return tuple(items)

    def _status(self, reasons: tuple[Reason, ...]) -> Status:
        """Return what happens next to an order with these reasons."""
        if any(r.handling.calls_staff for r in reasons):
            return "needs_staff"
        if any(r.question is not None for r in reasons):
            return "needs_staff" if self._ended else "clarify"
        return "confirmed" if self._done and self._cart.lines else "listening"
