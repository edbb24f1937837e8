"""Kinds of what was just counted: "two muffins, one bran and one blueberry"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.mentions.mention import WHOLE, Part, Role
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Sense

_LINKS = (Cue.AND, Cue.COMMA)


def with_kinds(parts: list[Part], menu: CompiledMenu) -> list[Part]:
    """The parts with each kind as the item that it names together with what was counted.

    A number of items of which the name leaves open which, and after it numbers that add up to it.
    """
    for index, part in enumerate(parts):
        if part.role is Role.ITEM and len(part.items) > 1 and index:
            kinds = list(_kinds(parts, index, menu))
            total = sum(parts[i - 1].span.value or 1 for i, _ in kinds)
            if len(kinds) > 1 and parts[index - 1].span.value == total:
                for i, senses in kinds:
                    parts[i] = replace(parts[i], role=Role.ITEM, senses=senses, also=())
    return parts


def _kinds(
    parts: Sequence[Part], index: int, menu: CompiledMenu
) -> Iterator[tuple[int, tuple[Sense, ...]]]:
    """Where kinds of the item at `index` are said, and what they name."""
    heading, at = parts[index], index + 1
    while at < len(parts):
        if parts[at].cue(*_LINKS) or parts[at].idle:
            at += 1
            continue
        if (parts[at].role is not Role.NUMBER and not parts[at].cue(Cue.A)) or at + 1 == len(parts):
            return
        senses = _named(parts[at + 1], heading, menu)
        if not senses:
            return
        yield at + 1, senses
        at += 2


def _named(part: Part, heading: Part, menu: CompiledMenu) -> tuple[Sense, ...]:
    said = f"{part.span.text} {heading.span.text}"
    senses = menu.lexicon.find("".join(keys_of(said, menu.language)), said)
    whole = (s for s in senses if s.kind == "item" and s.quality >= WHOLE)
    return tuple(s for s in whole if s.id in heading.items)[:1]
