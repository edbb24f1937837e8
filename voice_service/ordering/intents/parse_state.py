"""The state of a parse: the acts so far, and the mentions since that are not acts yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from voice_service.ordering.acts import Act, Add, Modify, Problem, Remove, Replace, Restart, Target
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.items.assembly import assemble_items
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType, candidates_of
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.offered import with_item


@dataclass(frozen=True, slots=True)
class Contrast:
    """ "A sprite, not a coke": the items ruled out, and the place of what is meant among the next.

    What is meant takes their place, or that of the same item if it was ordered before.
    """

    items: tuple[str, ...]
    place: int = 0


@dataclass
class ParseState:
    """What an utterance has come to so far.

    `pending`: mentions that are not acts yet. `instead`: items whose place the next one takes.
    `asked_about`: items that the guest asked about. `accepts_offer`: the guest orders them without
    naming them.
    """

    menu: CompiledMenu
    cart: CartView
    acts: list[Act] = field(default_factory=list)
    pending: list[Mention] = field(default_factory=list)
    instead: tuple[str, ...] = ()
    contrast: Contrast | None = None
    asked_about: tuple[Candidate, ...] = ()
    accepts_offer: bool = False

    def flush(self) -> list[Act]:
        """Turn the pending mentions into acts, and let what follows see them."""
        clause = with_item(self.pending, self.asked_about)
        self.accepts_offer = self.accepts_offer or clause != self.pending
        acts = assemble_items(clause, self.menu, self.cart)
        if _adds(self.pending):
            acts = [_on_top(act, opens=not self.acts) for act in acts]
        elif not self.acts:
            _doubt_answer(self.pending, acts, self)
            acts = [replace(a, bare=True) if isinstance(a, Modify) else a for a in acts]
        if self.contrast is not None and not _adds(self.pending):
            acts = _in_contrast(acts, self.contrast, self.cart.items)
        self.pending, self.contrast = [], None
        self.asked_about = () if acts else self.asked_about
        added = next((a for a in acts if isinstance(a, Add)), None)
        if self.instead and added is not None:
            acts.append(Remove(Target(self.instead), asked=False, inherit=True))
            self.instead = ()
        self.push(acts)
        return acts

    @property
    def has_items(self) -> bool:
        """Whether anything is in the order, or was said just now."""
        return bool(self.cart.items) or any(p.role is MentionType.ITEM for p in self.pending)

    def ordered(self, mention: Mention) -> bool:
        """Return whether an item is in the order, or was said just now."""
        just_named = [i for p in self.pending if p.role is MentionType.ITEM for i in p.items]
        return not set(mention.items).isdisjoint({*just_named, *self.cart.items})

    def push(self, acts: Sequence[Act]) -> None:
        """Add acts; what follows is about the order as they leave it."""
        self.acts += _in_its_number(acts)
        for act in acts:
            self._see(act)

    def _see(self, act: Act) -> None:
        """Follow what an act does to the order, as far as the parser can know."""
        match act:
            case Add(request):
                self._put(request.item)
            case Replace(target, request, alike, only):
                if only is None and target.ref is None:
                    self._drop_last(target.items, like=request.item if alike else None)
                self._put(request.item)
            case Remove(target, None):
                kept = [item for item in self.cart.items if item not in target.items]
                self.cart = replace(self.cart, items=tuple(kept))
            case Restart():
                self.cart = CartView()
            case _:
                pass

    def _put(self, item: str) -> None:
        items = (*self.cart.items, *self.menu.parts_of(item), item)
        self.cart = CartView(items)

    def _drop_last(self, items: Sequence[str], like: str | None) -> None:
        """Drop the last of `items`, or of all; with `like`, only if it is of the same category."""
        known = self.cart.items
        at = next((i for i in reversed(range(len(known))) if not items or known[i] in items), None)
        if at is None:
            return
        kinds = [self.menu.items[i].category for i in (known[at], like or known[at])]
        if kinds[0] == kinds[1]:
            self.cart = replace(self.cart, items=(*known[:at], *known[at + 1 :]))


def _in_contrast(acts: list[Act], contrast: Contrast, ordered: Sequence[str]) -> list[Act]:
    """Put what is meant in the place of what is ruled out, or of the same item ordered before."""
    added = [i for i, act in enumerate(acts) if isinstance(act, Add)]
    at = added[min(contrast.place, len(added) - 1)] if added else None
    meant = None if at is None else acts[at]
    if at is None or not isinstance(meant, Add):
        return acts
    item = meant.request.item
    again = item in ordered and not meant.request.counting.additional
    gone = tuple(i for i in contrast.items if i != item and i in ordered)
    if again:
        meant = Replace(Target((item,)), meant.request, alike=True, anew=True)
    removal = [Remove(Target(gone), asked=False, inherit=not again)] if gone else []
    return [*acts[:at], meant, *removal, *acts[at + 1 :]]


def _adds(clause: Sequence[Mention]) -> bool:
    """Return whether words ask for something on top of what there is: "add", "and also"."""
    opens = bool(clause) and clause[0].cue(Cue.AND)
    return opens or any(mention.cue(Cue.ADD, Cue.ALSO) for mention in clause)


def _on_top(act: Act, *, opens: bool) -> Act:
    """Return an act so that it replaces nothing and fills no place of a combo."""
    match act:
        case Modify():
            return replace(act, adds=True)
        case Add(request) if opens:
            return Add(replace(request, quantity=request.quantity or 1))
        case _:
            return act


def _doubt_answer(clause: Sequence[Mention], acts: Sequence[Act], state: ParseState) -> None:
    """Doubt "the cheeseburger" after "a burger": one more, or which burger was meant?

    So may "two burgers" after three cheeseburgers.
    """
    first = acts[0] if acts else None
    named = [p for p in clause if not p.idle or p.cue(Cue.THE)]
    items = [p for p in clause if p.role is MentionType.ITEM][:1]
    general = any(candidates_of(p.span, "category") for p in items)
    if not isinstance(first, Add) or not (general or any(p.cue(Cue.THE) for p in named[:1])):
        return
    item, kinds = first.request.item, state.menu.items
    alike = any(kinds[i].category == kinds[item].category for i in state.cart.items)
    if alike and item not in (*state.cart.items, *state.cart.choices):
        first.request.doubts += (Doubt.ANSWERED_AGAIN,)


def _in_its_number(acts: Sequence[Act]) -> Sequence[Act]:
    """Drop the question how many: what takes the place of something is as many as that was."""
    if not any(isinstance(act, Replace) for act in acts):
        return acts
    return [
        a for a in acts if not (isinstance(a, Problem) and a.code == ReasonCode.AMBIGUOUS_QUANTITY)
    ]
