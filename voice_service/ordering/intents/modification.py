"""Changes to what is already ordered: exchange it, make it larger, keep it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import (
    Act,
    Add,
    ItemRequest,
    Keep,
    Modify,
    Problem,
    Reference,
    ReferenceKind,
    Replace,
    Target,
    not_understood,
)
from voice_service.ordering.attributes.reader import AttributeReader
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.intents.removal import known, leave_off
from voice_service.ordering.items.assembly import assemble_items
from voice_service.ordering.items.attachment import AttributeAttacher
from voice_service.ordering.items.ellipsis import resolve_ellipsis
from voice_service.ordering.items.heads import refers_back
from voice_service.ordering.language.cue_sets import ARTICLES, ENDS_SENTENCE, LISTS
from voice_service.ordering.language.pack import Cue, Language
from voice_service.ordering.language.tokens import key_of
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.pointers import read_pointer, text_of


def keep(mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView) -> list[Act]:
    """Read what stays in the order or comes back into it: "leave them in", "keep the fries"."""
    named = next((p for p in mentions if p.role in (MentionType.ITEM, MentionType.MODIFIER)), None)
    if named is not None and named.role is MentionType.MODIFIER:
        return assemble_items([named], menu, cart)
    restores = any(p.cue(Cue.RESTORE) for p in mentions)
    items = () if named is None else named.items
    unclear = named is None and any(p.cue(Cue.TAKE) for p in mentions)
    return [Keep(items, text_of(mentions), restores, unclear)]


def change(mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView) -> list[Act]:
    """Read what takes the place of what, from the words after "change"."""
    split = _between(mentions)
    if split is None:
        return make(mentions, menu, cart) if mentions else [not_understood("")]
    old, new = mentions[:split], mentions[split + 1 :]
    if mentions[split].cue(Cue.FOR) and _definite_only(new, old):
        old, new = new, old  # "swap a sprite for the coke"
    return _exchange(old, new, menu, cart)


def substitute(mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView) -> list[Act]:
    """Read "substitute pickles for the onions", where the new one is named first.

    Many say it the other way round. So if only one of the two has "the" before it, that one is the
    old one.
    """
    split = _between(mentions)
    if split is None or not mentions[split].cue(Cue.FOR):
        return change(mentions, menu, cart)
    first, second = mentions[:split], mentions[split + 1 :]
    if _definite_only(first, second):
        first, second = second, first
    return _exchange(second, first, menu, cart)


def _between(mentions: Sequence[Mention]) -> int | None:
    """Return where the word stands that separates the old from the new."""
    return next((i for i, p in enumerate(mentions) if p.cue(Cue.TO, Cue.FOR, Cue.WITH)), None)


def _definite_only(mentions: Sequence[Mention], others: Sequence[Mention]) -> bool:
    """Return whether only the first of the two names something with "the"."""
    return any(p.cue(Cue.THE) for p in mentions) and not any(p.cue(Cue.THE) for p in others)


def _exchange(
    old: Sequence[Mention], new: Sequence[Mention], menu: CompiledMenu, cart: CartView
) -> list[Act]:
    """Put `new` in the place of `old`."""
    there = _exchange_referenced(old, new, menu, cart)
    if there is not None:
        return there
    named = next((p for p in old if p.role is MentionType.ITEM), None)
    swapped = next((p for p in old if p.role is MentionType.MODIFIER), None)
    if named is None and swapped is not None:
        host = next((known(p.items, cart) for p in new if p.role is MentionType.ITEM), None)
        wanted = [p for p in new if p.role is not MentionType.ITEM]
        return [*leave_off(old, host, menu, cart), *assemble_items(wanted, menu, cart)]
    if named is None:
        return _apply_to(Target(), new, menu, cart)
    item = known(named.items, cart)
    if item is None:
        return [Problem(ReasonCode.NOT_IN_ORDER, named.span.text)]
    size = _size_in(old)
    only = next((p.span.value for p in old if p.role is MentionType.NUMBER), None)
    if any(p.cue(Cue.ONE) for p in old):
        only = 1
    return _apply_to(Target((item,), size), new, menu, cart, only=only)


def make(mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView) -> list[Act]:
    """Read "make that a large", "make the coke a sprite", "make a cheeseburger"."""
    for read in _WAYS_TO_MAKE:
        acts = read(mentions, menu, cart)
        if acts is not None:
            return acts
    first = _first_item(mentions)
    if first is not None and (
        _with_before(mentions, first) or not _points_back(mentions[:first], menu)
    ):
        return assemble_items(mentions, menu, cart)
    return _apply_to(Target(), mentions, menu, cart)


def _first_item(mentions: Sequence[Mention]) -> int | None:
    return next((i for i, p in enumerate(mentions) if p.role is MentionType.ITEM), None)


def _make_referenced(
    mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView
) -> list[Act] | None:
    """Read "make the first one large", "make two of them to go"."""
    bare = len(mentions) > 2 and mentions[2].cue(*ARTICLES)
    pointer = read_pointer(mentions, 1, bare=bare)
    if pointer is None:
        return None
    _, end = pointer
    wanted = mentions[end:]
    wanted = wanted[1:] if wanted and wanted[0].cue(Cue.TO) else wanted
    return _exchange_referenced(mentions[1:end], wanted, menu, cart) or []


def _make_on_item(
    mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView
) -> list[Act] | None:
    """Read "make it large on the fries"."""
    first = _first_item(mentions)
    if first is None or not refers_back(mentions, first, cart):
        return None
    return assemble_items(mentions, menu, cart)


def _make_combo(
    mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView
) -> list[Act] | None:
    return _as_combo(mentions, menu, cart) or None


def _make_both(mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView) -> list[Act] | None:
    """Read "make both large"; with an item, or a size for each, nobody knows which is which."""
    if not any(p.cue(Cue.BOTH) for p in mentions):
        return None
    size_of_each = {MentionType.NUMBER, MentionType.SIZE} <= {p.role for p in mentions}
    if _first_item(mentions) is not None or size_of_each:
        return [not_understood(text_of(mentions))]
    return _apply_to(Target(all_lines=True), mentions, menu, cart)


def _make_ordered_item(
    mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView
) -> list[Act] | None:
    """Read "make the coke a sprite", where there is a coke."""
    first = _first_item(mentions)
    if first is None or not (
        _definite(mentions, first) or _made_that(mentions, first, menu.language)
    ):
        return None
    item = known(mentions[first].items, cart)
    if item is None:
        there = _definite(mentions, first)
        return None if there else [Problem(ReasonCode.NOT_IN_ORDER, mentions[first].span.text)]
    return _apply_to(Target((item,), _size_in(mentions[:first])), mentions[first + 1 :], menu, cart)


def _made_that(mentions: Sequence[Mention], index: int, language: Language) -> bool:
    """Return whether "that" is part of what is to change: "make that coke a tea"."""
    determines = mentions[0].span.text.split()[-1] in language.cues[Cue.THE]
    more = mentions[index + 1 : index + 2]
    return determines and index == 1 and any(not p.cue(*LISTS, *ENDS_SENTENCE) for p in more)


_WAYS_TO_MAKE = (
    _make_referenced,
    _make_on_item,
    _make_combo,
    _make_both,
    _make_ordered_item,
)
"""Tried in this order; None passes the words on to the next."""


def _size_in(mentions: Sequence[Mention]) -> str | None:
    return next((p.candidates[0].id for p in mentions if p.role is MentionType.SIZE), None)


def _as_combo(mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView) -> list[Act]:
    """Read "make that a meal": the combo that the last item belongs to takes its place."""
    at = next((i for i, p in enumerate(mentions) if p.role is MentionType.CATEGORY), None)
    if at is None:
        return []
    combos = menu.in_category(mentions[at].candidates[0].id)
    named = [i for p in mentions[:at] if p.role is MentionType.ITEM for i in p.items]
    ordered = [i for i in reversed(cart.items) if not named or i in named]
    for item in ordered or named:
        around = [c for c in combos if item in {slot.default for slot in menu.items[c].slots}]
        around = around or [c for c in combos if _built_around(item, c, menu)]
        # Fries are part of every combo, so they say nothing about which is meant.
        if len(around) == 1:
            rest = assemble_items(mentions[at + 1 :], menu, cart)
            combo = ItemRequest(around[0], size=_size_in(mentions[:at]))
            return [Replace(Target((item,)), combo) if ordered else Add(combo), *rest]
    return []


def _built_around(item: str, combo: str, menu: CompiledMenu) -> bool:
    """Return whether a combo is made of an item and what goes with it."""
    slots = menu.items[combo].slots
    return bool(slots) and menu.filling(slots[0], item) is not None


def _exchange_referenced(
    mentions: Sequence[Mention], wanted: Sequence[Mention], menu: CompiledMenu, cart: CartView
) -> list[Act] | None:
    """Put what is wanted where `mentions` point: another item, or what is said of it.

    None if they do not point, or say more than that.
    """
    found = read_pointer(mentions, 0, bare=True)
    if found is None or found[1] != len(mentions):
        return None
    ref = found[0].reference()
    if not any(p.role is MentionType.ITEM for p in wanted):
        statements = [found[0], *AttributeReader(wanted).read()]
        acts = resolve_ellipsis(statements, menu, cart, AttributeAttacher(menu, cart.items))
        return acts or [not_understood(text_of([*mentions, *wanted]))]
    first, *others = assemble_items(wanted, menu, replace(cart, unsized=None))
    if isinstance(first, Problem) and first.request is not None:
        _replacing(first.request, Target(ref=ref))
        return [first, *others]
    # "Make both combos with a cola": a part of a combo does not take the place of one.
    if not isinstance(first, Add) or first.request.coordination.after_with:
        return [not_understood(text_of([*mentions, *wanted]))]
    return [Replace(Target(ref=ref), first.request), *others]


def _replacing(request: ItemRequest, target: Target | None) -> None:
    """Note whose place the item takes that the guest has yet to choose."""
    request.ambiguity = replace(request.ambiguity, replaces=target)


def _definite(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether "the" stands before a name, maybe with a size between."""
    before = [p for p in mentions[:index] if p.role is not MentionType.SIZE]
    return bool(before) and before[-1].cue(Cue.THE)


def _with_before(mentions: Sequence[Mention], index: int) -> bool:
    return any(p.cue(Cue.WITH) for p in mentions[:index])


def _points_back(mentions: Sequence[Mention], menu: CompiledMenu) -> bool:
    """Return whether an "it" goes with "make", as a word of its own or within the phrase."""
    pronouns = set(menu.language.cues[Cue.IT])
    return any(p.cue(Cue.IT) or pronouns & set(p.span.text.split()) for p in mentions)


def _apply_to(
    target: Target,
    mentions: Sequence[Mention],
    menu: CompiledMenu,
    cart: CartView,
    *,
    only: int | None = None,
) -> list[Act]:
    """Put what `mentions` say onto the target: another item, size, number or topping.

    `only`: for so many of what is there.
    """
    acts = assemble_items(mentions, menu, _view(target, cart)) or _number_pronoun(mentions, menu)
    if not acts:
        return [] if not cart.items else [not_understood(text_of(mentions))]
    if only is not None and any(isinstance(a, Modify) and a.only is not None for a in acts):
        return [not_understood(text_of(mentions))]  # "one of them plain and one with ham"
    if isinstance(acts[0], Problem) and acts[0].request is not None:
        asked = acts[0].request
        _replacing(asked, target if _names(target) else _like(asked, menu, cart))
    if isinstance(acts[0], Add):
        request = acts[0].request
        instead = target if _names(target) else _like(request, menu, cart)
        if instead is None and len(set(cart.items)) > 1:
            return [not_understood(text_of(mentions))]  # "that" is none like it: which one goes?
        if instead is None and not cart.items:
            return acts
        return [Replace(instead or Target(), request, only=only), *acts[1:]]
    return [_retarget(act, target, only) for act in acts]


def _number_pronoun(mentions: Sequence[Mention], menu: CompiledMenu) -> list[Act]:
    """Read "make that one" as a number, where nothing else makes sense."""
    words = [w for p in mentions if p.cue(Cue.IT, Cue.ONE) for w in p.span.text.split()]
    key = key_of(words[-1], menu.language) if words else ""
    return [Modify(Target(), quantity=int(key), text=key)] if key.isdigit() else []


def _like(request: ItemRequest, menu: CompiledMenu, cart: CartView) -> Target | None:
    """Return what "make that a large cola" changes: the cola if there is one, else another drink.

    "Make them two colas" changes the two drinks talked about last, if they are two.
    """
    item = request.item
    last = menu.items[cart.items[-1]] if cart.items else menu.items[item]
    several = request.count > 1 and last.category == menu.items[item].category
    others = several and last.id != item
    these = Reference(ReferenceKind.THESE, request.count) if others else None
    if item in cart.items:
        return Target((item,), ref=these)
    category = menu.items[item].category
    alike = [i for i in cart.items if menu.items[i].category == category]
    # A combo takes the place of what it is built around.
    slots = menu.items[item].slots
    alike = alike or [i for i in cart.items if slots and i == slots[0].default]
    return Target((alike[-1],)) if alike else None


def _retarget(act: Act, target: Target, only: int | None) -> Act:
    """Aim a change at the target."""
    if not isinstance(act, Modify):
        return act
    act = replace(act, only=act.only if only is None else only)
    return replace(act, target=target) if _names(target) else act


def _names(target: Target) -> bool:
    return bool(target.items) or target.all_lines


def _view(target: Target, cart: CartView) -> CartView:
    """Return the cart as if the target were its last line.

    That is the line which words without an item are about.
    """
    if not target.items:
        return replace(cart, unsized=None)
    return CartView((*cart.items, *target.items[:1]), None)
