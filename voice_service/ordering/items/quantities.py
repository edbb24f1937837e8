"""How many of an item are wanted, from its name and the words around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voice_service.ordering.acts import (
    Ambiguity,
    Counting,
    Elided,
    ItemRequest,
    ModifierRequest,
)
from voice_service.ordering.attributes.distribution import like_named
from voice_service.ordering.attributes.reader import AttributeReader
from voice_service.ordering.attributes.statements import ModifierStatement, Statement
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import key_of, plain, plural, several
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.match import FULL

_COUNTING = (Cue.MORE, Cue.VAGUE, Cue.NO, Cue.BOTH)


def combos_counted(before: Sequence[Mention]) -> int | None:
    """Return the number of "one with a sprite", which counts combos ordered before."""
    words = [p for p in before[-4:] if not p.idle or p.cue(Cue.ONE)]
    if len(words) < len((Cue.NUMBER, Cue.WITH)) or not words[-1].cue(Cue.WITH):
        return None
    if words[-2].cue(Cue.ORDINAL):
        return 1
    number = next(
        (p for p in words[-2::-1] if not p.cue(Cue.ONE) or p.role is MentionType.NUMBER), None
    )
    return number.span.value if number is not None and number.role is MentionType.NUMBER else None


def request_of(inner: Sequence[Mention], head: Mention) -> ItemRequest:
    """Return the request of a name, with as many as the words before the name say."""
    request = ItemRequest(
        head.items[0],
        doubts=head.candidates[0].doubts,
        words=set(head.span.words),
        elided=Elided(choices=head.span.has(Cue.MORE, Cue.SAME)),
        ambiguity=Ambiguity(head.items),
    )
    additional = False
    for mention in inner:
        if mention.role is MentionType.NUMBER:
            request.quantity = mention.span.value
            request.words.update(mention.span.words)
            break
        if mention.cue(Cue.A):
            request.quantity = 1
            break
        if mention.cue(Cue.MORE):
            request.quantity, additional = 1, True
            break
    for mention, following in zip(inner, [*inner, head][1:], strict=True):
        # "Two more colas", but not "two more cheese pizzas".
        more = mention.cue(Cue.ADDITIONAL) and following.role is not MentionType.MODIFIER
        additional = additional or more
    request.counting = Counting(additional, vague=any(p.cue(Cue.VAGUE) for p in inner))
    return request


def is_uncounted_plural(inner: Sequence[Mention], head: Mention, menu: CompiledMenu) -> bool:
    """Return whether several are wanted without a number: "cokes", but not "fries"."""
    if any(p.role is MentionType.NUMBER or p.cue(*_COUNTING) for p in inner):
        return False
    if any(p.cue(Cue.A) for p in inner) and any(p.cue(Cue.MEASURE) for p in inner):
        return False  # "an order of spring rolls"
    name, spoken = plain(menu.item_name(head.items[0])), head.span.text
    last, word = name.split()[-1], spoken.split()[-1]
    alike = key_of(last, menu.language) == key_of(word, menu.language) and len(word) > len(last)
    counted = alike or menu.lexicon.plural(spoken) or _synonyms(head, menu)
    return counted and not menu.lexicon.plural(name)


def _synonyms(head: Mention, menu: CompiledMenu) -> bool:
    """Return whether the item is named in the plural by another name than the menu's: "cokes"."""
    item = menu.items[head.items[0]]
    singular = all(plural(n, menu.language) != n for n in (item.name, *item.aliases))
    in_plural = several(head.span.text.split()[-1], menu.language)
    return in_plural and head.candidates[0].match >= FULL and singular


def inner_words(mentions: Sequence[Mention]) -> list[Statement]:
    """Return what is said before the name, without the number that counts the item."""
    rest = [
        p
        for p, following in zip(mentions, [*mentions, None][1:], strict=True)
        if p.role is not MentionType.NUMBER
        and not p.cue(Cue.A, Cue.MORE, Cue.THE)
        and not (p.cue(Cue.HALF) and following is not None and following.cue(Cue.ONE))
        and not (
            p.cue(Cue.ADDITIONAL) and (following is None or following.role is MentionType.SIZE)
        )
    ]
    return AttributeReader(rest).read()


def multiply(
    value: int, current: ItemRequest, requests: Sequence[ItemRequest], menu: CompiledMenu
) -> None:
    """Apply "times two" to all of "a number one with a coke", if it is one dish."""
    whole, *others = requests
    slots = menu.items[whole.item].slots
    parts = {item for slot in slots for item in menu.fillings(slot)}
    if any(other.item not in parts or other.count > 1 for other in others):
        current.doubts += (Doubt.HOW_MANY_IN_ALL,)
        whole = current
    whole.quantity = whole.count * value


def chooses_again(
    statement: Statement | None, item: str, mods: Iterable[ModifierRequest], menu: CompiledMenu
) -> bool:
    """Return whether a modifier can only be another item's: "three fish tacos and two chicken".

    A taco has one meat, and the `mods` of the item before have it already.
    """
    if not isinstance(statement, ModifierStatement) or statement.qualifier is not None:
        return False
    single = menu.single_groups(item)
    chosen = {m.group for m in mods if not m.negated and m.group in single}
    named = {s.group for s in statement.candidates if menu.offers(item, s)}
    return statement.negation is None and bool(named) and named <= chosen


def is_one_more(statement: ModifierStatement, current: ItemRequest, named: Sequence[str]) -> bool:
    """Return whether "and a raisin" after "a plain bagel with butter" is another bagel.

    Its group was said before the name and not after it. A number ("and six raisin") is enough.
    """
    if statement.counted is None or statement.qualifier is not None:
        return False
    if not like_named(statement, named):
        return False
    several = statement.quantity is not None and statement.quantity > 1
    return several or any(m.group not in named for m in current.mods)
