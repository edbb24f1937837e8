"""What a guest says beside the order: questions and talk with others."""

from __future__ import annotations

from voice_service.ordering.acts import Aside
from voice_service.ordering.intents.lookahead import MARKS, names_something
from voice_service.ordering.intents.parse_state import State
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.mention import Part, Role


def aside(parts: list[Part], index: int, state: State) -> int:
    """A question or talk: up to the end of the sentence, or where an order begins."""
    state.flush()
    talk = parts[index].cue(Cue.TALK)
    end = index + 1
    named = False
    while end < len(parts):
        part = parts[end]
        if part.cue(*MARKS, Cue.STAFF):
            break
        if part.cue(Cue.REQUEST) and " " in part.span.text and (named or talk):
            break
        if part.cue(Cue.YES) and named and names_something(parts, end + 1, Cue.A):
            break  # "do you have fried rice? Yeah, fried rice"
        if talk and part.cue(Cue.COMMA):
            break
        named = named or part.role in (Role.ITEM, Role.MODIFIER, Role.CATEGORY, Role.SIZE)
        end += 1
    text = " ".join(p.span.text for p in parts[index:end])
    state.acts.append(Aside("side_talk" if talk else "question", text))
    return end
