"""What "the same" stands for where it differs in size: "a small of the same", "just like it"."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.acts import ModifierRequest
from voice_service.ordering.cart.lines import Line
from voice_service.ordering.language.cue_sets import ONE_MORE
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Mention, MentionType, candidates_of
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate


def name_the_same(
    mentions: Sequence[Mention], lines: Sequence[Line], menu: CompiledMenu
) -> list[Mention]:
    """Put in the item, and what is on it, for which "a large one just like it" asks."""
    named: list[Mention] = []
    for index, mention in enumerate(mentions if lines else ()):
        same = mention.cue(Cue.SAME)
        item = next((p for p in named[-1:] if p.role is MentionType.ITEM), None)
        alike = [line for line in lines if item is None or line.item in item.items]
        if same and alike and _counted(named, item):
            named = [p for p in named if not p.cue(Cue.ONE)]
            named += [] if item else [mention.naming(Candidate("item", alike[-1].item, None))]
            named += _described(mention, alike[-1], mentions[index + 1 :], menu, sized=not item)
        else:
            named.append(mention)
    return named if lines else list(mentions)


def _counted(before: Sequence[Mention], item: Mention | None) -> bool:
    """Return whether a count leads to a size or a name: "a small of", "one more latte"."""
    said = [p for p in before if not p.cue(Cue.ONE, Cue.MEASURE) and not p.idle]
    counted = len(said) > 1 and (said[-2].role is MentionType.NUMBER or said[-2].cue(*ONE_MORE))
    return counted and (item is not None or said[-1].role is MentionType.SIZE)


def _described(
    mention: Mention, line: Line, following: Sequence[Mention], menu: CompiledMenu, *, sized: bool
) -> list[Mention]:
    """Return what is said of a line, without choices for which others follow.

    `sized`: the size is another one.
    """
    chosen = {s.group for p in following for s in candidates_of(p.span, "modifier")}
    single = chosen.intersection(menu.single_groups(line.item))
    size = [] if sized or line.size is None else [Candidate("size", line.size, None)]
    mods = (_modifier(mention, m) for m in line.mods if m.group not in single)
    return [*map(mention.naming, size), *(p for pair in mods for p in pair)]


def _modifier(mention: Mention, modifier: ModifierRequest) -> list[Mention]:
    link = Cue.NO if modifier.negated else Cue.WITH
    named = mention.naming(Candidate("modifier", modifier.id, modifier.group))
    return [mention.as_cue(link), named]
