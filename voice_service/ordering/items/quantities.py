"""An item's name and the words before it: how many there are to be, and of what."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.acts import Ambiguity, Counting, Elided, ItemRequest
from voice_service.ordering.attributes.reader import AttributeReader
from voice_service.ordering.attributes.statements import Statement
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import key_of, plain, plural, several
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.match import FULL

_COUNTING = (Cue.MORE, Cue.VAGUE, Cue.NO, Cue.BOTH)


def of_so_many(before: Sequence[Mention]) -> int | None:
    """The number in "one with a sprite", which is about combos ordered before."""
    words = [p for p in before[-4:] if not p.idle or p.cue(Cue.ONE)]
    if len(words) < len((Cue.NUMBER, Cue.WITH)) or not words[-1].cue(Cue.WITH):
        return None
    if words[-2].cue(Cue.ORDINAL):
        return 1
    number = next(
        (p for p in words[-2::-1] if not p.cue(Cue.ONE) or p.role is MentionType.NUMBER), None
    )
    return number.span.value if number is not None and number.role is MentionType.NUMBER else None


def group_of(inner: Sequence[Mention], head: Mention) -> ItemRequest:
    """The item of a name, as many of it as the words before the name say."""
    group = ItemRequest(
        head.items[0],
        quality=head.candidates[0].certainty,
        words=set(head.span.words),
        elided=Elided(choices=head.span.has(Cue.MORE, Cue.SAME)),
        ambiguity=Ambiguity(head.items),
    )
    additional = False
    for mention in inner:
        if mention.role is MentionType.NUMBER:
            group.quantity = mention.span.value
            group.words.update(mention.span.words)
            break
        if mention.cue(Cue.A):
            group.quantity = 1
            break
        if mention.cue(Cue.MORE):
            group.quantity, additional = 1, True
            break
    for mention, following in zip(inner, [*inner, head][1:], strict=True):
        # "two more colas", but not "two more cheese pizzas"
        more = mention.cue(Cue.ADDITIONAL) and following.role is not MentionType.MODIFIER
        additional = additional or more
    group.counting = Counting(additional, vague=any(p.cue(Cue.VAGUE) for p in inner))
    return group


def plural_of_one(inner: Sequence[Mention], head: Mention, menu: CompiledMenu) -> bool:
    """Whether several are wanted without a number: "cokes", but not "fries"."""
    if any(p.role is MentionType.NUMBER or p.cue(*_COUNTING) for p in inner):
        return False
    if any(p.cue(Cue.A) for p in inner) and any(p.cue(Cue.MEASURE) for p in inner):
        return False  # "an order of spring rolls"
    name, said = plain(menu.item_name(head.items[0])), head.span.text
    last, word = name.split()[-1], said.split()[-1]
    alike = key_of(last, menu.language) == key_of(word, menu.language) and len(word) > len(last)
    counted = alike or menu.lexicon.plural(said) or _synonyms(head, menu)
    return counted and not menu.lexicon.plural(name)


def _synonyms(head: Mention, menu: CompiledMenu) -> bool:
    """Whether it is called as several by another name than the menu has: "cokes"."""
    item = menu.items[head.items[0]]
    singular = all(plural(n, menu.language) != n for n in (item.name, *item.aliases))
    said = several(head.span.text.split()[-1], menu.language)
    return said and head.candidates[0].match >= FULL and singular


def inner_words(mentions: Sequence[Mention]) -> list[Statement]:
    """What is said before the name; its number counts the item and nothing else."""
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
