"""Whether an order is complete when the guest pauses, or breaks off in mid-phrase."""

from __future__ import annotations

from voice_service.ordering.acts import (
    Act,
    Add,
    Aside,
    Done,
    Modify,
    ModifyReferenced,
    Remove,
    Repeat,
    Replace,
    Restart,
    Undo,
)
from voice_service.ordering.intents.parser import Parsed
from voice_service.ordering.language.cue_sets import PUNCTUATION
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import tokenize
from voice_service.ordering.mentions.mention import MentionType
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.utterances.turn_end import TurnEnd, by_marks

_LEADS = (
    Cue.A,
    Cue.ADD,
    Cue.ALSO,
    Cue.AND,
    Cue.BUT,
    Cue.CHANGE,
    Cue.CORRECT,
    Cue.FOR,
    Cue.INSTEAD_OF,
    Cue.MAKE,
    Cue.MORE,
    Cue.NUMBERED,
    Cue.ON,
    Cue.OR,
    Cue.REMOVE,
    Cue.REQUEST,
    Cue.THE,
    Cue.TO,
    Cue.WAIT,
    Cue.WITH,
)
"""What these say is about words that follow."""
_STANDS_ALONE = (Cue.IT, Cue.ONE, Cue.SAME, Cue.UNDO, Cue.RESTART, Cue.DONE)
"""A phrase that may also be one of these can end a sentence: "that", "in that"."""
_ORDERS = (Add, Modify, ModifyReferenced, Replace, Remove, Repeat, Undo, Restart, Done)


def judge_turn_end(text: str, parsed: Parsed, menu: CompiledMenu) -> TurnEnd:
    """Return how `text`, parsed as `parsed`, stands if the guest falls silent now."""
    if by_marks(text) is TurnEnd.OPEN or parsed.incomplete or _leads_on(parsed):
        return TurnEnd.OPEN
    if _hesitates(text, menu):
        return TurnEnd.OPEN
    return TurnEnd.FINISHED if _whole(parsed, menu) else TurnEnd.UNKNOWN


def _leads_on(parsed: Parsed) -> bool:
    """Return whether the last phrase only begins something."""
    words = [span for span in parsed.spans if not span.has(*PUNCTUATION)]
    if not words or words[-1].candidates or words[-1].has(*_STANDS_ALONE):
        return False
    counts = words[-1].has(Cue.NUMBER) and len(words) > 1 and words[-2].has(Cue.AND)
    return counts or words[-1].has(*_LEADS)


def _hesitates(text: str, menu: CompiledMenu) -> bool:
    words = [token.text for token in tokenize(text, menu.language) if token.key]
    return bool(words) and words[-1] in menu.language.cues[Cue.HESITATION]


def _whole(parsed: Parsed, menu: CompiledMenu) -> bool:
    """Return whether every word is explained, something is ordered, and no size is missing."""
    if any(part.role is MentionType.UNKNOWN for part in parsed.mentions):
        return False
    acts = [act for act in parsed.acts if not isinstance(act, Aside)]
    return bool(acts) and all(_settled(act, menu) for act in acts)


def _settled(act: Act, menu: CompiledMenu) -> bool:
    if isinstance(act, Add) and act.request.size is None:
        item = menu.items[act.request.item]
        return not item.prices or item.default_size is not None
    return isinstance(act, _ORDERS)
