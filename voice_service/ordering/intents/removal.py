"""What is taken out of an order: items, what is on them, or what is pointed at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import (
    Act,
    Ambiguity,
    Dismiss,
    ItemRequest,
    Modify,
    Problem,
    Reference,
    ReferenceKind,
    Remove,
    Target,
    Undo,
    not_understood,
)
from voice_service.ordering.attributes.linking import resolve
from voice_service.ordering.attributes.reader import AttributeReader
from voice_service.ordering.attributes.statements import ModifierStatement, Negation
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.items.assembly import assemble_items
from voice_service.ordering.items.attachment import AttributeAttacher
from voice_service.ordering.items.ellipsis import resolve_ellipsis
from voice_service.ordering.language.cue_sets import LISTS, ONE_MORE
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.pointers import read_pointer, text_of

_LEADS = (*LISTS, Cue.REQUEST, Cue.ADD, Cue.NUMBER, *ONE_MORE, Cue.MAKE, Cue.THE, Cue.MEASURE)
"""Stand before the item of a wish."""


def remove(mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView) -> list[Act]:
    """Read what to take out, from the words after "remove"."""
    end = next((i for i in range(len(mentions)) if _goes_on(mentions, i, cart)), len(mentions))
    if end < len(mentions):
        return [
            *remove(mentions[:end], menu, cart),
            *assemble_items(mentions[end + 1 :], menu, cart),
        ]
    further = next((i for i in range(1, len(mentions)) if _points_on(mentions, i)), None)
    if further is not None:
        rest = remove(mentions[further + 1 :], menu, cart)
        return [*remove(mentions[:further], menu, cart), *rest]
    mentions = [_as_modifier(mention, menu, cart) for mention in mentions]
    items = [i for i, p in enumerate(mentions) if p.role is MentionType.ITEM]
    mods = [i for i, p in enumerate(mentions) if p.role is MentionType.MODIFIER]
    if any(p.cue(Cue.OR) for p in mentions) and len(items) + len(mods) > 1:
        return [_which_goes(mentions, menu, cart)]
    there = _remove_pointed(mentions, menu, cart, named=bool(items or mods))
    if there:
        return there
    if mods and (not items or mods[0] < items[0]):
        host = known(mentions[items[0]].items, cart) if items else None
        acts = leave_off(mentions, host, menu, cart)
        listed = bool(items) and mentions[items[0] - 1].cue(*LISTS) and host is None
        return [*acts, *([not_understood(text_of(mentions))] if listed else [])]
    return _remove_items(mentions, items, cart) if items else _remove_unnamed(mentions, menu, cart)


def _remove_pointed(
    mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView, *, named: bool
) -> list[Act]:
    """Remove what the words point at; `named`: they name something as well."""
    pointer = read_pointer(mentions, 0, bare=True)
    excepted = _all_but(mentions, cart)
    if pointer is None:
        return [] if excepted is None else [excepted]
    target, end = pointer
    if all(p.cue(Cue.OFF) for p in mentions[end:]):
        return [Remove(Target(ref=_any_of(target.reference(), mentions)), text=text_of(mentions))]
    if mentions[end].cue(Cue.AND):
        if all(p.idle for p in mentions[end + 1 :]):
            return [not_understood(text_of(mentions))]  # "the first and the last one"
        gone = Remove(Target(ref=target.reference()), text=text_of(mentions[:end]))
        return [gone, *remove(mentions[end + 1 :], menu, cart)]
    if excepted is not None:
        return [excepted]
    return [] if named else [not_understood(text_of(mentions))]


def _remove_items(mentions: Sequence[Mention], items: Sequence[int], cart: CartView) -> list[Act]:
    """Remove the items that are named, each with its number and size."""
    acts: list[Act] = []
    before = 0
    for index in items:
        inner = mentions[before:index]
        before = index + 1
        size = next((p.candidates[0].id for p in inner if p.role is MentionType.SIZE), None)
        count = next((p.span.value for p in inner if p.role is MentionType.NUMBER), None)
        if count is None and any(p.cue(Cue.A, Cue.ONE) for p in inner):
            count = 1
        item = known(mentions[index].items, cart)
        choices = (item,) if item is not None else mentions[index].items
        acts.append(Remove(Target(choices, size), count, text=mentions[index].span.text))
    return acts


def _points_on(mentions: Sequence[Mention], index: int) -> bool:
    """Return whether "and" leads to something pointed at: "a cola and the small one"."""
    return mentions[index].cue(Cue.AND) and any(
        p.cue(Cue.ORDINAL, Cue.OTHER) for p in mentions[index + 1 : index + 2]
    )


def _which_goes(mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView) -> Problem:
    """Ask which one goes: "the cola or the lemonade"."""
    found = [known(p.items, cart) for p in mentions if p.role is MentionType.ITEM]
    items = tuple(dict.fromkeys(i for i in found if i is not None))
    if len(items) < len(
        [p for p in mentions if p.role in (MentionType.ITEM, MentionType.MODIFIER)]
    ):
        return not_understood(text_of(mentions))
    names = tuple(menu.item_name(i) for i in items)
    request = ItemRequest(items[0], ambiguity=Ambiguity(items, removes=True))
    return Problem(ReasonCode.AMBIGUOUS_ITEM, "", names, request)


def _any_of(ref: Reference, mentions: Sequence[Mention]) -> Reference:
    """Return "either one" of two as one of them."""
    either = mentions[0].cue(Cue.EITHER) and ref.which is ReferenceKind.BOTH
    return replace(ref, which=ReferenceKind.SOME, count=1) if either else ref


def _all_but(mentions: Sequence[Mention], cart: CartView) -> Act | None:
    """Read "everything (off) except the cola", "all but the first one": the rest goes."""
    whole = len(mentions) > 1 and mentions[0].cue(Cue.BOTH, Cue.EVERYTHING)
    at = next((i for i, p in enumerate(mentions) if p.cue(Cue.BUT)), None)
    if not whole or at is None or not all(p.idle or p.cue(Cue.OFF) for p in mentions[1:at]):
        return None
    kept = [p for p in mentions[at + 1 :] if not p.cue(Cue.THE)]
    pointer = read_pointer(mentions, at + 1, bare=True)
    if pointer is not None and pointer[1] == len(mentions):
        return Remove(Target(ref=pointer[0].reference()), text=text_of(mentions), others=True)
    item = (
        known(kept[0].items, cart) if len(kept) == 1 and kept[0].role is MentionType.ITEM else None
    )
    if item is None:
        return not_understood(text_of(mentions))
    return Remove(Target((item,)), text=text_of(mentions), others=True)


def _goes_on(mentions: Sequence[Mention], link: int, cart: CartView) -> bool:
    """Return whether a wish follows what is to go: "never mind the fries, onion rings".

    After "and" it has to be counted or asked for ("and give one lassi", "and do rings instead"):
    "cancel the fries and rings" names what goes.
    """
    if not mentions[link].cue(*LISTS, Cue.OFF):
        return False
    rest = mentions[link + 1 :]
    ahead = next((p for p in rest if not (p.idle or p.cue(*_LEADS))), None)
    before = [p for p in mentions[:link] if p.candidates]
    wished = ahead is not None and ahead.role in (MentionType.ITEM, MentionType.SIZE)
    if not before or not wished:
        return False
    named = next((p for p in rest if p.role is MentionType.ITEM), None)
    if named is None or known(named.items, cart) is not None:
        return False
    asked = any(p.cue(*_LEADS) and not p.cue(*LISTS, Cue.THE) for p in rest[: rest.index(ahead)])
    return asked or mentions[link].cue(Cue.COMMA) or any(p.cue(Cue.INSTEAD) for p in rest)


def _remove_unnamed(mentions: Sequence[Mention], menu: CompiledMenu, cart: CartView) -> list[Act]:
    """Remove a category, a size or a number of lines; else take back the last change."""
    category = next((p for p in mentions if p.role is MentionType.CATEGORY), None)
    if category is not None:
        if cart.choices and all(
            menu.items[i].category == category.candidates[0].id for i in cart.choices
        ):
            return [Dismiss()]
        items = tuple(i for i in cart.items if menu.items[i].category == category.candidates[0].id)
        return [Remove(Target(items or ("",)), text=category.span.text)]
    unknown = " ".join(p.span.text for p in mentions if p.role is MentionType.UNKNOWN)
    if unknown:
        return [Problem(ReasonCode.NOT_IN_ORDER, unknown)]
    count = next((p.span.value for p in mentions if p.role is MentionType.NUMBER), None)
    size = next((p for p in mentions if p.role is MentionType.SIZE), None)
    if size is not None:
        return [Remove(Target(size=size.candidates[0].id), count, text=size.span.text)]
    return [Undo()] if count is None else [Remove(Target(), count)]


def _as_modifier(mention: Mention, menu: CompiledMenu, cart: CartView) -> Mention:
    """Return a size as the topping it also is ("medium"), if the last item takes only that."""
    fits = bool(cart.items) and any(menu.offers(cart.items[-1], s) for s in mention.also)
    sized = bool(cart.items) and any(menu.offers(cart.items[-1], s) for s in mention.candidates)
    if mention.role is not MentionType.SIZE or sized or not fits:
        return mention
    return replace(mention, role=MentionType.MODIFIER, candidates=mention.also)


def leave_off(
    mentions: Sequence[Mention], host: str | None, menu: CompiledMenu, cart: CartView
) -> list[Act]:
    """Leave off what is named, of `host` or of the last item that takes it."""
    acts: list[Act] = []
    for index in range(len(mentions)):
        pointer = read_pointer(mentions, index + 1, bare=True)
        if mentions[index].cue(Cue.OFF, Cue.ON) and pointer is not None and host is None:
            mods = [
                s
                for s in AttributeReader(mentions[:index]).read()
                if isinstance(s, ModifierStatement)
            ]
            off = [replace(mod, negation=Negation()) for mod in mods]
            return resolve_ellipsis(
                [pointer[0], *off], menu, cart, AttributeAttacher(menu, cart.items)
            )
    for statement in AttributeReader(mentions).read():
        if not isinstance(statement, ModifierStatement):
            continue
        statement.negation = Negation()
        order = [host] if host is not None else list(reversed(cart.items))
        found = next(((m, i) for i in order if (m := resolve(statement, i, menu))), None)
        if found is None:
            acts.append(Problem(ReasonCode.NOT_IN_ORDER, statement.text))
        elif isinstance(found[0], Problem):
            acts.append(found[0])
        else:
            acts.append(Modify(Target((found[1],)), (found[0],), text=statement.text))
    return acts


def known(choices: Sequence[str], cart: CartView) -> str | None:
    """Return the latest item of the cart that is among `choices`."""
    return next((i for i in reversed(cart.items) if i in choices), None)
