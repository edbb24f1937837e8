"""Links what was said to a modifier of the item that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import ModifierRequest, Problem, not_understood
from voice_service.ordering.attributes.statements import (
    AlternativesStatement,
    ModifierStatement,
    Negation,
)
from voice_service.ordering.doubt import Doubt, Doubts
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.menu.match import FULL, LITERAL
from voice_service.ordering.reasons import ReasonCode

_ALIKE, _ALIKE_PARTS = 0.05, 0.15  # modifiers whose matches are this close are equally meant


def resolve(
    modifier: ModifierStatement, item: str, menu: CompiledMenu
) -> ModifierRequest | Problem | None:
    """Return the modifier as an item has it; None if it has none, a Problem if it has several."""
    reaches = modifier.negation is not None and modifier.negation.across != ","
    left_off = without(modifier.text, item, menu) if reaches else None
    if left_off is not None:
        return replace(left_off, words=modifier.words, doubts=modifier.doubts)
    fitting = [s for s in modifier.candidates if menu.offers(item, s)]
    if not fitting:
        return None
    margin = _ALIKE if fitting[0].match >= FULL else _ALIKE_PARTS
    best = [s for s in fitting if s.match >= fitting[0].match - margin]
    if modifier.negated:
        defaults = menu.items[item].defaults
        best = [s for s in best if s.id in defaults] or best  # "no olives", where it has black ones
    names = {menu.modifiers[_key(s)].name for s in best}
    if best[0].match < FULL and len(names) > 1:
        ordinary = _ordinary(modifier, best, menu)
        if ordinary is None:
            return Problem(ReasonCode.AMBIGUOUS_MODIFIER, modifier.text, tuple(sorted(names)))
        best = [ordinary]
    candidate = _by_count(best, modifier.quantity, menu)
    entry = menu.modifiers[_key(candidate)]
    mod = ModifierRequest(candidate.id, _key(candidate)[0], words=modifier.words)
    mod.doubts = _doubts(modifier, candidate, fitting, menu)
    mod.negated = _is_left_off(modifier.negation, item, candidate, menu)
    if mod.negated:
        mod.id, mod.negated = leaving_off(mod.id, mod.group, item, menu)
    mod.qualifier, mod.quantity = modifier.qualifier, modifier.quantity or 1
    if entry.count is not None:
        # Its name includes the number: "extra" and "two" only say which of its kind it is.
        mod.quantity = 1
        mod.qualifier = None if mod.qualifier == "extra" else mod.qualifier
    return mod


def without(text: str, item: str, menu: CompiledMenu) -> ModifierRequest | None:
    """Return the modifier whose name leaves something off, if an item has one: "No Ice"."""
    for no in menu.language.cues[Cue.NO]:
        phrase = f"{no} {text}"
        candidates = (
            () if " " in no else menu.lexicon.find("".join(keys_of(phrase, menu.language)), phrase)
        )
        named = (s for s in candidates if s.kind == "modifier" and s.match >= FULL)
        found = next((s for s in named if menu.offers(item, s)), None)
        if found is not None:
            return ModifierRequest(found.id, _key(found)[0])
    return None


def which(alternatives: AlternativesStatement, item: str, menu: CompiledMenu) -> Problem:
    """Return the question which of several modifiers an item is to have."""
    found = (resolve(choice, item, menu) for choice in alternatives.choices)
    names = [menu.modifiers[m.group, m.id].name for m in found if isinstance(m, ModifierRequest)]
    if len(names) < len(alternatives.choices):
        return not_understood(alternatives.text)
    return Problem(ReasonCode.AMBIGUOUS_MODIFIER, alternatives.text, tuple(dict.fromkeys(names)))


def _doubts(
    modifier: ModifierStatement,
    candidate: Candidate,
    fitting: Sequence[Candidate],
    menu: CompiledMenu,
) -> Doubts:
    """Return what speaks against the modifier being meant."""
    doubts = (*candidate.doubts, *modifier.doubts)
    if len({menu.modifiers[_key(s)].name for s in fitting if s.match >= LITERAL}) > 1:
        doubts += (Doubt.SAME_NAME,)
    if modifier.negated and candidate.match < FULL and {*candidate.doubts} - {Doubt.PART_OF_NAME}:
        doubts += (Doubt.PART_LEFT_OFF,)
    return doubts


def _ordinary(
    modifier: ModifierStatement, candidates: Sequence[Candidate], menu: CompiledMenu
) -> Candidate | None:
    """Return the ordinary one, whose name only adds an adjective such as "plain", if it is one."""
    ordinary = [
        s for s in candidates if _adds_nothing(menu.modifiers[_key(s)].name, modifier, menu)
    ]
    if len(ordinary) != 1:
        return None
    return ordinary[0].doubted(Doubt.ORDINARY_ONE)


def _adds_nothing(name: str, modifier: ModifierStatement, menu: CompiledMenu) -> bool:
    """Return whether a name says no more than was said, except for words such as "regular"."""
    words = set(keys_of(name, menu.language)) - set(keys_of(modifier.text, menu.language))
    return words <= menu.language.names.ordinary_words


def _by_count(
    candidates: Sequence[Candidate], quantity: int | None, menu: CompiledMenu
) -> Candidate:
    """Return the modifier that stands for `quantity`, of some that stand for a number each."""
    counts = {menu.modifiers[_key(s)].count: s for s in reversed(candidates)}
    if quantity is None and len(counts) > 1:
        return counts.get(None, counts.get(1, candidates[0]))
    if quantity is not None and quantity in counts:
        return counts[quantity]
    if quantity is None or None in counts:
        return candidates[0]
    other = menu.counted(*_key(candidates[0]), quantity)
    return candidates[0] if other is None else replace(candidates[0], id=other)


def _is_left_off(
    negation: Negation | None, item: str, candidate: Candidate, menu: CompiledMenu
) -> bool:
    """Return whether a "without" reaches a modifier.

    It always does directly and across "or". Otherwise it reaches what the item comes with, or, for
    an item without defaults, what follows an "and": of "no beans guac and corn" the beans alone.
    """
    if negation is None or negation.across in (None, "or"):
        return negation is not None
    defaults = menu.items[item].defaults
    if defaults:
        return candidate.id in defaults
    return negation.across == "and" and not negation.past


def leaving_off(modifier: str, group: str, item: str, menu: CompiledMenu) -> tuple[str, bool]:
    """Return the modifier that leaves another off, and whether it is negated.

    "Without caffeine" is "decaf", where an item comes with one of two and must have either.
    """
    others = [m.id for m in menu.groups[group].modifiers if m.id != modifier]
    default = modifier in menu.items[item].defaults and group in menu.single_groups(item)
    return (others[0], False) if default and len(others) == 1 else (modifier, True)


def _key(candidate: Candidate) -> tuple[str, str]:
    assert candidate.group is not None  # noqa: S101 - the lexicon names modifiers with their group
    return candidate.group, candidate.id
