"""Names that add to the one before them: "a sandwich, but spicy", "two coffees, one decaf"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import ItemRequest
from voice_service.ordering.language.cue_sets import PAUSES
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.mentions.mention import Mention
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.match import FULL


def refine(
    previous: ItemRequest, request: ItemRequest, said: Sequence[Mention], menu: CompiledMenu
) -> bool:
    """Take "a latte iced" for an iced latte; return whether it is one.

    `said`: from the name of the one to that of the other. Nothing but "but" stands between.
    """
    apart = any(not (mention.idle or mention.cue(Cue.BUT)) for mention in said[1:-1])
    if apart or request.quantity is not None or not _are_one_name(said, request.item, menu):
        return False
    request.quantity, request.counting = previous.quantity, previous.counting
    sized = previous.size in menu.items[request.item].prices
    request.size = request.size or (previous.size if sized else None)
    request.mods = [m for m in previous.mods if menu.has_group(request.item, m.group)]
    return True


def leave_open(
    previous: ItemRequest, request: ItemRequest, said: Sequence[Mention], menu: CompiledMenu
) -> None:
    """Leave open how many there are in "two coffees, one decaf": two in all, or three?"""
    listed = all(p.idle or p.cue(*PAUSES, Cue.NUMBER, Cue.A) for p in said[1:-1])
    fewer = request.quantity is not None and request.quantity < previous.count
    if listed and fewer and _are_one_name(said, request.item, menu):
        previous.counting = replace(previous.counting, vague=True)


def _are_one_name(said: Sequence[Mention], item: str, menu: CompiledMenu) -> bool:
    """Return whether the first and the last name, which has no word of it, are one together."""
    first, last = said[0].span.text, said[-1].span.text
    if not set(keys_of(first, menu.language)).isdisjoint(keys_of(last, menu.language)):
        return False
    phrases = (f"{last} {first}", f"{first} {last}")
    found = (menu.lexicon.find("".join(keys_of(p, menu.language)), p) for p in phrases)
    return any(s.id == item and s.match >= FULL for named in found for s in named)
