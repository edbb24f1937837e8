"""Slips of the tongue: which of the words before "no", "sorry" or "I mean" are taken back."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.acts import Add, Replace, Target
from voice_service.ordering.assemble import assemble
from voice_service.ordering.language import Cue
from voice_service.ordering.lookahead import MARKS
from voice_service.ordering.parts import Part, Role
from voice_service.ordering.stretch import State
from voice_service.ordering.talk import COMMANDS


def no_as_correction(parts: list[Part], index: int, state: State) -> bool:
    """Whether "no" takes back what was said ("two, no, three") and leaves nothing off."""
    part = parts[index]
    if not part.cue(Cue.NO) or part.span.text.count(" ") or part.cue(Cue.REMOVE):
        return False
    following = parts[index + 1 : index + 3]
    if not following or not (state.stretch or state.acts or state.cart.items):
        return False
    first = following[0]
    if first.cue(Cue.COMMA):
        return len(following) > 1 and (
            following[1].role in (Role.NUMBER, Role.SIZE, Role.ITEM, Role.MODIFIER)
            or following[1].cue(Cue.A, Cue.MAKE, Cue.REQUEST, Cue.THE, Cue.WITH)
        )
    second = following[1] if len(following) > 1 else None
    if second is not None and second.role is Role.ITEM and state.ordered(second):
        return False  # "not a Coke": there is one in the order
    modifier = second is not None and second.role is Role.MODIFIER
    return first.role in (Role.NUMBER, Role.SIZE) or (first.cue(Cue.A) and not modifier)


def correct(parts: list[Part], index: int, state: State) -> int:
    """What follows replaces its like before it: a number, a size, an item, a modifier."""
    start = index + 1
    while start < len(parts) and (parts[start].cue(Cue.COMMA, Cue.CORRECT) or parts[start].idle):
        start += 1
    if _denied_again(parts[index], parts[start : start + 1], state):
        state.stretch.pop()
        return start + 1
    state.stretch, merged = _correction(state.stretch, parts[start:])
    if merged or start >= len(parts) or parts[start].cue(*COMMANDS, *MARKS, Cue.KEEP):
        return start
    state.flush()
    if parts[start].cue(Cue.ALSO, Cue.AND):
        return start
    strong = parts[index].cue(Cue.NO) or not parts[start].cue(Cue.REQUEST)
    before = state.cart.items
    end = next(
        (i for i in range(start, len(parts)) if parts[i].cue(*MARKS, *COMMANDS, Cue.DONE)),
        len(parts),
    )
    if any(p.cue(Cue.INSTEAD, Cue.INSTEAD_OF, Cue.QUESTION, Cue.TALK) for p in parts[start:end]):
        return start
    acts = assemble(parts[start:end], state.menu, state.cart)
    if acts and isinstance(acts[0], Add) and before:
        group = acts[0].group
        target = Target((group.item,)) if group.item in before and strong else Target()
        acts[0] = Replace(target, group, alike=True, anew=True)
    state.push(acts)
    return end


def _denied_again(slip: Part, following: Sequence[Part], state: State) -> bool:
    """Whether "no not tomato" only names what it takes back, which was said just before."""
    words = slip.span.text.split()
    denies = len(words) > 1 and words[-1] in state.menu.language.cues[Cue.NO]
    if not denies or not state.stretch or not following:
        return False
    said, again = state.stretch[-1], following[0]
    return said.role is again.role is Role.MODIFIER and said.senses[:1] == again.senses[:1]


def _correction(stretch: list[Part], following: Sequence[Part]) -> tuple[list[Part], bool]:
    """Takes the slip out of the words before a correction: "two, no, three colas".

    Returns the words that stay, and whether what follows simply goes on from there.
    """
    tail = len(stretch)
    while tail > 0 and (
        stretch[tail - 1].role in (Role.NUMBER, Role.SIZE)
        or stretch[tail - 1].idle
        or stretch[tail - 1].cue(Cue.A, Cue.COMMA, Cue.MORE)
    ):
        tail -= 1
    dangling = stretch[tail:]
    after_item = tail > 0 and stretch[tail - 1].role is Role.ITEM
    said = [p for p in following[:3] if not p.idle]
    if after_item or not any(p.role in (Role.NUMBER, Role.SIZE) or p.cue(Cue.A) for p in dangling):
        return _modifier_slip(stretch, said)
    roles = {p.role for p in said}
    counted = Role.NUMBER in roles or any(p.cue(Cue.A) for p in said[:1])
    kept = [
        p
        for p in dangling
        if not (p.role is Role.SIZE and Role.SIZE in roles)
        and not ((p.role is Role.NUMBER or p.cue(Cue.A)) and counted)
    ]
    return [*stretch[:tail], *kept], True


def _modifier_slip(stretch: list[Part], said: Sequence[Part]) -> tuple[list[Part], bool]:
    """ "with onions, no, pickles": the last modifier gives way to the next."""
    last = len(stretch)
    while last > 0 and stretch[last - 1].cue(Cue.COMMA):
        last -= 1
    slipped = last > 0 and stretch[last - 1].role is Role.MODIFIER
    made = bool(said) and said[0].cue(Cue.MAKE)
    said = [part for part in said if not part.cue(Cue.WITH, Cue.MAKE)]
    if not slipped or not said or said[0].role is not Role.MODIFIER:
        return stretch, False
    # "Make it toasted" takes back no butter, "make it jam" does.
    kinds = {sense.group for sense in stretch[last - 1].senses}
    if made and kinds.isdisjoint(sense.group for sense in said[0].senses):
        return stretch, False
    return stretch[: last - 1], True
