"""Which modifier of an item is meant by what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from voice_service.ordering.acts import ModifierRequest, Problem, not_understood
from voice_service.ordering.attributes.statements import AlternativesStatement, ModifierStatement
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import keys_of
from voice_service.ordering.mentions.mention import WHOLE
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.reasons import ReasonCode

_LITERAL = 0.985  # from here on the menu itself has the very words as a name
_SAME_NAME = 0.85  # certainty where the menu gives several modifiers the same name
_ALIKE, _ALIKE_PARTS = 0.05, 0.15  # modifiers this close in quality are equally meant
_ORDINARY = 0.85  # certainty that "cream cheese" is the plain one
_HEADLESS = 0.9  # below, a name is said without its last word
_HALF_LEFT_OFF = 0.8  # certainty left of "no egg" where the menu only has egg whites


def resolve(
    said: ModifierStatement, item: str, menu: CompiledMenu
) -> ModifierRequest | Problem | None:
    """The modifier as an item has it; None if it has none, a Problem if it has several."""
    left_off = without(said.text, item, menu) if said.negated and said.carried != "," else None
    if left_off is not None:
        return replace(left_off, words=said.words, quality=said.certainty)
    fitting = [s for s in said.candidates if menu.offers(item, s)]
    if not fitting:
        return None
    margin = _ALIKE if fitting[0].match >= WHOLE else _ALIKE_PARTS
    best = [s for s in fitting if s.match >= fitting[0].match - margin]
    names = {menu.modifiers[_key(s)].name for s in best}
    if best[0].match < WHOLE and len(names) > 1:
        ordinary = _ordinary(said, best, menu)
        if ordinary is None:
            return Problem(ReasonCode.AMBIGUOUS_MODIFIER, said.text, tuple(sorted(names)))
        best = [ordinary]
    sense = _by_count(best, said.quantity, menu)
    modifier = menu.modifiers[_key(sense)]
    mod = ModifierRequest(sense.id, _key(sense)[0], words=said.words)
    mod.quality = _certainty(said, sense, fitting, menu)
    mod.negated = said.negated and _still_without(said, item, sense, menu)
    mod.qualifier, mod.quantity = said.qualifier, said.quantity or 1
    if said.qualifier == "extra" and _says_extra(said.text, menu):
        mod.qualifier = None
    if modifier.count is not None:
        # It is its own number: "extra" and "two" only say which of its kind.
        mod.quantity = 1
        mod.qualifier = None if mod.qualifier == "extra" else mod.qualifier
    return mod


def without(text: str, item: str, menu: CompiledMenu) -> ModifierRequest | None:
    """The modifier that leaves something off by its name, if an item has one: "No Ice"."""
    for no in menu.language.cues[Cue.NO]:
        said = f"{no} {text}"
        senses = () if " " in no else menu.lexicon.find("".join(keys_of(said, menu.language)), said)
        named = (s for s in senses if s.kind == "modifier" and s.match >= WHOLE)
        found = next((s for s in named if menu.offers(item, s)), None)
        if found is not None:
            return ModifierRequest(found.id, _key(found)[0])
    return None


def which(said: AlternativesStatement, item: str, menu: CompiledMenu) -> Problem:
    """The question which of several an item is to have."""
    found = (resolve(choice, item, menu) for choice in said.choices)
    names = [menu.modifiers[m.group, m.id].name for m in found if isinstance(m, ModifierRequest)]
    if len(names) < len(said.choices):
        return not_understood(said.text)
    return Problem(ReasonCode.AMBIGUOUS_MODIFIER, said.text, tuple(dict.fromkeys(names)))


def _certainty(
    said: ModifierStatement, sense: Candidate, fitting: Sequence[Candidate], menu: CompiledMenu
) -> float:
    """How likely it is that the modifier is meant."""
    certainty = sense.certainty * said.certainty
    if len({menu.modifiers[_key(s)].name for s in fitting if s.match >= _LITERAL}) > 1:
        certainty *= _SAME_NAME
    if said.negated and sense.certainty < _HEADLESS and sense.match < WHOLE:
        certainty *= _HALF_LEFT_OFF
    return certainty


def _ordinary(
    said: ModifierStatement, senses: Sequence[Candidate], menu: CompiledMenu
) -> Candidate | None:
    """The one that only an adjective parts from what was said, and no particular one."""
    ordinary = [s for s in senses if _adds_nothing(menu.modifiers[_key(s)].name, said, menu)]
    if len(ordinary) != 1:
        return None
    return replace(ordinary[0], certainty=min(ordinary[0].certainty, _ORDINARY))


def _adds_nothing(name: str, said: ModifierStatement, menu: CompiledMenu) -> bool:
    words = set(keys_of(name, menu.language)) - set(keys_of(said.text, menu.language))
    return words <= menu.language.ordinary_words


def _says_extra(text: str, menu: CompiledMenu) -> bool:
    """Whether a name asks for more itself: "a lot of", where there is an "extra cheese"."""
    return text.split(maxsplit=1)[0] in menu.language.cues[Cue.EXTRA]


def _by_count(senses: Sequence[Candidate], quantity: int | None, menu: CompiledMenu) -> Candidate:
    """Of modifiers that stand for so many each, the one that stands for `quantity`."""
    counts = {menu.modifiers[_key(s)].count: s for s in reversed(senses)}
    if quantity is None and len(counts) > 1:
        return counts.get(None, counts.get(1, senses[0]))
    if quantity is not None and quantity in counts:
        return counts[quantity]
    if quantity is None or None in counts:
        return senses[0]
    other = menu.counted(*_key(senses[0]), quantity)
    return senses[0] if other is None else replace(senses[0], id=other)


def _still_without(
    said: ModifierStatement, item: str, sense: Candidate, menu: CompiledMenu
) -> bool:
    """Whether a "without" reaches this far: over "or" always, else as the recipe suggests."""
    if said.carried is None or said.carried == "or":
        return True
    defaults = menu.items[item].defaults
    if defaults:
        return sense.id in defaults
    return said.carried == "and"


def _key(sense: Candidate) -> tuple[str, str]:
    assert sense.group is not None  # noqa: S101 - the lexicon names modifiers with their group
    return sense.group, sense.id
