"""From an utterance to acts: what orders, what changes, what asks, and what is none of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from voice_service.ordering.acts import (
    Act,
    Add,
    Aside,
    Done,
    Problem,
    Remove,
    Replace,
    Restart,
    Target,
)
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.intents.exclusion import left_alone
from voice_service.ordering.intents.incomplete import incomplete_tail, itemless_statement
from voice_service.ordering.intents.lookahead import (
    denies_one,
    item_ahead,
    leaves_off,
    more_of_it,
    no_longer,
    one_more_after,
    stays,
    taken_off,
)
from voice_service.ordering.intents.modification import change, keep, make, substitute
from voice_service.ordering.intents.off_topic import (
    aside,
    is_talk,
    left_hanging,
    only_usual,
    unused,
    yes_or_no,
)
from voice_service.ordering.intents.parse_state import ParseState
from voice_service.ordering.intents.removal import remove
from voice_service.ordering.intents.repairs import (
    correct,
    ends_in_no,
    makes_another,
    no_as_correction,
    taken_back,
)
from voice_service.ordering.intents.repeat_or_undo import fewer, more, one_of_those, same, undone
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.allergies import extract_allergies
from voice_service.ordering.mentions.homophones import counted
from voice_service.ordering.mentions.lookahead import COMMANDS, MARKS, just_before, names_something
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.mentions.segmentation import Segmenter, Span
from voice_service.ordering.mentions.tagging import roles
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.references.answers import fill_choice
from voice_service.ordering.references.descriptions import fold_descriptions
from voice_service.ordering.references.offered import asked_about
from voice_service.ordering.references.pointers import ends, read_pointer


@dataclass(frozen=True)
class Parsed:
    """What an utterance asks for.

    `spans` account for each of its words but hesitations, in order; `parts` are those that are
    more than filler, in their roles.
    `carry` are words at the end that wait for what follows ("and a large …"); no act has them.
    `continues`: it begins as an addition ("and", "also"). `about`: items that were asked about and
    not ordered since. `denies`: it begins with a "no" or the like.
    """

    acts: tuple[Act, ...]
    parts: tuple[Mention, ...]
    carry: tuple[Mention, ...] = ()
    continues: bool = False
    spans: tuple[Span, ...] = ()
    about: tuple[Candidate, ...] = ()
    denies: bool = False

    @property
    def by_sound(self) -> Set[int]:
        """The words that are read as others which sound the same, by their index."""
        return {w for span in self.spans if span.by_sound for w in span.words}

    @property
    def nearness(self) -> Mapping[int, float]:
        """How near the words that had to be put right are to what was heard, by their index."""
        return {w: span.nearness for span in self.spans if span.nearness < 1 for w in span.words}


class Parser:
    """Parses utterances against one menu. Pure; one parser serves any number of conversations."""

    def __init__(self, menu: CompiledMenu) -> None:
        self._menu = menu
        self._segmenter = Segmenter(menu.lexicon, menu.language)

    def parse(self, text: str, cart: CartView, *, final: bool = False) -> Parsed:
        """The acts of `text`. Never raises. `final`: nothing follows, so nothing is carried."""
        everything = counted(self._segmenter.segment(text), self._menu, cart.items)
        allergies = extract_allergies(text, everything, self._menu.language)
        spans = [s for s in allergies.rest if not s.filler]
        parts = roles(spans, self._menu, cart.items[-1] if cart.items else None)
        parts = fill_choice(parts, cart.offered, self._menu)
        parts = fold_descriptions(parts, cart.lines, self._menu, answers=cart.unsized is not None)
        carry = () if final else incomplete_tail(parts, cart)
        unfinished = () if final else tuple(Mention(s, MentionType.CUE) for s in allergies.unfinished)
        state = ParseState(self._menu, cart, about=cart.about)
        body = parts[: len(parts) - len(carry)]
        index = 0
        while index < len(body):
            index = _step(body, index, state)
        state.flush()
        if final and not state.acts:
            state.acts += left_hanging(body)
        if not state.acts and not carry:
            state.acts += unused(body) or only_usual(body, cart, self._menu)
        if not carry and not final and all(isinstance(a, Problem) for a in state.acts):
            carry = itemless_statement(parts, cart, self._menu)
        state.acts[:0] = [] if final else yes_or_no(parts)
        first = next((p for p in parts if not p.idle), None)
        continues = first is not None and first.cue(Cue.AND, Cue.ALSO, Cue.ADD)
        words = sum(len(s.text.split()) for s in allergies.rest)
        acts = state.acts
        if not state.takes and is_talk(acts, body, words, answering=bool(cart.choices)):
            # Talk waits for nothing, and all of it is talk, but for a call for a person.
            calls = [a for a in acts if isinstance(a, Aside) and a.code == "staff_requested"]
            acts, carry = [*calls, Aside("off_topic", " ".join(p.span.text for p in parts))], ()
        acts = [*allergies.asides, *acts]
        waiting = (*carry, *unfinished)
        said = tuple(parts), waiting, continues, tuple(everything), state.about
        return Parsed(tuple(acts), *said, denies=_denies(first, parts))


def _denies(first: Mention | None, parts: Sequence[Mention]) -> bool:
    """Whether it begins with a "no" that stands alone, or takes back what was said."""
    if first is None:
        return False
    alone = len(parts) == 1 or any(p.cue(Cue.COMMA) for p in parts[1:2])
    return first.cue(Cue.CORRECT) or (first.cue(Cue.DENY) and alone)


def _step(parts: list[Mention], index: int, state: ParseState) -> int:
    """Takes the part at `index`, and what belongs to it; returns where to go on."""
    for kind in _KINDS:
        end = kind(parts, index, state)
        if end is not None:
            return end
    state.stretch.append(parts[index])
    return index + 1


def _beside_the_order(parts: list[Mention], index: int, state: ParseState) -> int | None:
    """Calls for a person, questions, talk."""
    part = parts[index]
    opens = index == 0 or parts[index - 1].cue(*MARKS)
    talks = part.cue(Cue.TALK) and not _wishes_for(parts, index)
    asking = (Cue.ASKS, Cue.ASKS_BACK) if state.cart.items else (Cue.ASKS,)
    given_up = part.cue(Cue.INTENDED) and any(p.cue(Cue.BUT) for p in parts[index:])
    if talks or given_up or part.cue(Cue.QUESTION) or (part.cue(*asking) and opens):
        end = aside(parts, index, state)
        state.about = () if talks else asked_about(parts[index:end])
        return end
    if part.cue(Cue.STAFF, Cue.WAIT):
        state.flush()
        code = "staff_requested" if part.cue(Cue.STAFF) else "side_talk"
        state.acts.append(Aside(code, part.span.text))
        return index + 1
    return None


def _wishes_for(parts: Sequence[Mention], index: int) -> bool:
    """Whether it only names who wants what follows: "my dad wants a coke", "for my mom a coke"."""
    if any(p.cue(Cue.FOR) for p in just_before(parts, index)):
        return True
    following = parts[index + 1 : index + 2]
    named = " " not in parts[index].span.text
    return named and bool(following) and following[0].cue(Cue.REQUEST)


def _about_the_order(parts: list[Mention], index: int, state: ParseState) -> int | None:
    """Starting over, taking back, letting go, being done, the same again."""
    part = parts[index]
    act: Act
    if part.cue(Cue.RESTART):
        act = Restart()
    elif part.cue(Cue.DONE) and not names_something(parts, index + 1, Cue.NO):
        act = Done()
    elif part.cue(Cue.KEEP) and (kept := stays(parts, index)) is not None:
        state.flush()
        state.push(keep(parts[index:kept], state.menu, state.cart))
        return kept
    elif part.cue(Cue.NEVER_MIND):
        taken_back(parts, index, state)
        return index + 1
    elif part.cue(Cue.SAME):
        return same(parts, index, state)
    elif (count := more_of_it(parts, index)) is not None and state.has_items:
        return more(parts, index, *count, state)
    else:
        return None
    state.flush()
    state.push([act])
    return index + 1


def _about_lines(  # noqa: PLR0911 - one for each way to change a line
    parts: list[Mention], index: int, state: ParseState
) -> int | None:
    """Changes to what is already ordered."""
    part = parts[index]
    if part.cue(Cue.INSTEAD_OF):
        return _instead_of(parts, index, state)
    if part.cue(Cue.INSTEAD) and _leads_a_wish(parts, index, state):
        return correct(parts, index, state)  # "I would rather have a lemonade"
    if part.cue(Cue.INSTEAD):
        _replace_last(state)
        return index + 1
    noun = index > 0 and parts[index - 1].cue(Cue.A)  # "a strike"
    removes = (
        (part.cue(Cue.REMOVE) and not noun)
        or taken_off(parts, index)
        or no_longer(parts, index)
        or denies_one(parts, index)
    )
    if removes:
        return _command(parts, index + 1, state, remove)
    if part.cue(Cue.SUBSTITUTE):
        return _command(parts, index + 1, state, substitute)
    if part.cue(Cue.CHANGE):
        return _change(parts, index, state)
    corrects = part.cue(Cue.CORRECT) or makes_another(parts, index, state)
    if part.cue(Cue.MAKE) and not corrects:
        return _make(parts, index, state)
    if corrects and ends_in_no(parts, index, state):
        state.stretch.append(Mention(replace(part.span, cues=frozenset({Cue.NO})), MentionType.CUE))
        return index + 1
    if corrects or no_as_correction(parts, index, state):
        return correct(parts, index, state)
    return None


_Command = Callable[[Sequence[Mention], CompiledMenu, CartView], list[Act]]


def _command(parts: list[Mention], start: int, state: ParseState, command: _Command, *until: Cue) -> int:
    state.flush()
    end = max(_end(parts, start + (command is make), *until), start)
    state.push(command(parts[start:end], state.menu, state.cart))
    return end


def _make(parts: list[Mention], index: int, state: ParseState) -> int:
    """ "make the coke small and the fries large": each that is named is changed."""
    end = _command(parts, index, state, make, Cue.AND, Cue.BUT)
    while end + 2 < len(parts) and parts[end].cue(Cue.AND):
        head, named = parts[end + 1 : end + 3]
        if read_pointer(parts, end + 1) is not None and not _sizes_only(parts, end + 2):
            end = _command(parts, end, state, make, Cue.BUT)
            continue
        known = head.cue(Cue.THE) and named.role is MentionType.ITEM and state.ordered(named)
        if not known and not (head.role is MentionType.NUMBER and _sizes_only(parts, end + 2)):
            break
        end = _command(parts, end + 1, state, make, Cue.AND, Cue.BUT)
    return end


def _change(parts: list[Mention], index: int, state: ParseState) -> int:
    """ "change the fries to rings and the coke to a lemonade": each that is named is changed."""
    end = index
    while True:
        start = end + 1
        end = max(_end(parts, start), start)
        further = next(
            (i for i in range(start, end) if _changes_further(parts, i, end, state)), end
        )
        state.flush()
        state.push(change(parts[start:further], state.menu, state.cart))
        if further == end:
            return end
        end = further


def _changes_further(parts: Sequence[Mention], index: int, end: int, state: ParseState) -> bool:
    """Whether "and the coke to" follows: something ordered, and what takes its place."""
    named = parts[index + 1 : index + 3]
    known = len(named) > 1 and named[0].cue(Cue.THE) and named[1].role is MentionType.ITEM
    follows = any(p.cue(Cue.TO, Cue.FOR, Cue.WITH) for p in parts[index + 3 : min(end, index + 5)])
    return parts[index].cue(Cue.AND) and known and follows and state.ordered(named[1])


def _sizes_only(parts: Sequence[Mention], index: int) -> bool:
    """Whether it is a size and nothing more, as the last in "make one small and two large"."""
    return parts[index].role is MentionType.SIZE and ends(parts, index + 1)


def _end(parts: Sequence[Mention], start: int, *also: Cue) -> int:
    """Index where a command that takes its words from `start` ends."""
    for index in range(start, len(parts)):
        part = parts[index]
        if part.cue(*MARKS, *COMMANDS, Cue.ADD, Cue.QUESTION, *also):
            return index
        if index > start and part.cue(Cue.REQUEST) and " " in part.span.text:
            return index
        if index > start and part.cue(Cue.INSTEAD_OF) and leaves_off(parts, index):
            return index
        if index > start and one_more_after(parts, index):
            return index
    return len(parts)


def _instead_of(parts: list[Mention], index: int, state: ParseState) -> int:
    end = index + 1
    while end < len(parts) and parts[end].cue(Cue.THE, Cue.A, Cue.MEASURE, Cue.FILLER):
        end += 1
    if end < len(parts) and parts[end].role is MentionType.SIZE:
        end += 1
    if end < len(parts) and parts[end].role is MentionType.ITEM:
        said = any(p.role is MentionType.ITEM for p in state.stretch)
        if said and item_ahead(parts, index, end):
            state.flush()
            said = False
        state.instead = parts[end].items
        if said:
            state.flush()
        return end + 1
    if end < len(parts) and parts[end].role is MentionType.MODIFIER:
        without = Mention(replace(parts[index].span, cues=frozenset({Cue.NO})), MentionType.CUE)
        but = Mention(replace(parts[index].span, cues=frozenset({Cue.BUT})), MentionType.CUE)
        state.stretch += [without, parts[end], but]
        return end + 1
    return index + 1


def _leads_a_wish(parts: Sequence[Mention], index: int, state: ParseState) -> bool:
    """Whether what is to be there instead is named behind the word."""
    if any(p.role is MentionType.ITEM for p in state.stretch):
        return False
    ahead = next((p for p in parts[index + 1 :] if not p.cue(Cue.REQUEST, Cue.A, Cue.THE)), None)
    return ahead is not None and ahead.role is MentionType.ITEM


def _replace_last(state: ParseState) -> None:
    """ "a sprite instead": the item just named takes the place of the one before it."""
    before = state.cart.items
    acts = state.flush()
    goes = acts[-1] if len(acts) > 1 else None
    if isinstance(goes, Remove) and isinstance(acts[0], Add):
        # "No fries, onion rings instead": what goes was named.
        state.acts[-1] = replace(goes, inherit=True)
        return
    last = state.acts[-1] if state.acts else None
    if not acts or last is not acts[-1] or not isinstance(last, Add) or not before:
        return
    if last.group.of is not None and state.menu.combos_with(last.group.item, before):
        return  # "one with a sprite instead": so many of the combos have it
    category = state.menu.items[last.group.item].category
    alike = [i for i in before if state.menu.items[i].category == category]
    state.acts[-1] = Replace(Target(((alike or list(before))[-1],)), last.group)


_KINDS = (
    _beside_the_order,
    left_alone,
    undone,
    fewer,
    one_of_those,
    _about_the_order,
    _about_lines,
)
"""What a part may begin, besides words that order; the first that takes it does."""
