"""Which words were taken for what: for audits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voice_service.ordering.acts import (
    Act,
    Add,
    ItemRequest,
    ModifierRequest,
    Modify,
    ModifyReferenced,
    Remove,
    Replace,
)
from voice_service.ordering.dialogue.turns import Match
from voice_service.ordering.likelihood import clarity
from voice_service.ordering.menu.compiled import CompiledMenu


def match_words(acts: Sequence[Act], words: Sequence[str], menu: CompiledMenu) -> tuple[Match, ...]:
    """Return what each act took its words for, in the order in which it was understood."""
    found: list[Match] = []
    for act in acts:
        match act:
            case Add(request) | Replace(request=request):
                found += _group(request, words, menu)
            case Modify(mods=mods):
                found += [_modifier(mod, words, menu) for mod in mods]
            case ModifyReferenced(changes=(change, *_)):
                found += [_modifier(mod, words, menu) for mod in change.mods]
            case Remove(target=target, text=text):
                found += [
                    Match("removed", item, menu.item_name(item), text, 1.0)
                    for item in target.items
                    if item in menu.items
                ]
            case _:
                pass
    return tuple(found)


def _group(request: ItemRequest, words: Sequence[str], menu: CompiledMenu) -> list[Match]:
    name = menu.item_name(request.item)
    item = Match(
        "item",
        request.item,
        name,
        _text(request.words, words),
        clarity(request.doubts),
    )
    return [item, *(_modifier(mod, words, menu) for mod in request.mods)]


def _modifier(mod: ModifierRequest, words: Sequence[str], menu: CompiledMenu) -> Match:
    name = menu.modifiers[mod.group, mod.id].name
    return Match("modifier", mod.id, name, _text(mod.words, words), clarity(mod.doubts))


def _text(used: Iterable[int], words: Sequence[str]) -> str:
    return " ".join(words[i] for i in sorted(used) if i < len(words))
