"""What goes into order understanding and what comes out: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from order_events.domain.drafts import ItemDraft
from voice_service.ordering.readings.interpretation import Sign
from voice_service.ordering.reasons import Handling, ReasonCode

Status = Literal["listening", "clarify", "confirmed", "needs_staff"]


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A recognised word and how sure the recogniser is of it (0 to 1)."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Heard:
    """A final transcript. `words` may be empty; then `confidence` (0 to 1) stands for each.

    `language` is the ISO 639 code of what was spoken; empty if that is not known. `agreement`: how
    likely (0 to 1) the recogniser holds it that what was said orders the same as `text`. `lost`: by
    how many words `text` is shorter than what had been understood before it ended.
    """

    utterance: int
    text: str
    confidence: float
    words: tuple[HeardWord, ...] = ()
    language: str = ""
    agreement: float = 1.0
    lost: int = 0

    @property
    def confidences(self) -> tuple[float, ...]:
        """The confidence of each word of the text."""
        own = tuple(word.confidence for word in self.words)
        count = len(self.text.split())
        return own if len(own) == count else (self.confidence,) * count


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an order is not simply accepted, or what was heard without becoming part of it.

    `code` is machine readable: a `ReasonCode`, or one of the session's own. `text` is the words or
    the name it is about, `utterance` where it came up, and `question` what to ask the guest, None
    if nothing has to be asked. `choices` are answers, in words that the guest may say.
    """

    code: str
    text: str
    utterance: int
    question: str | None = None
    choices: tuple[str, ...] = ()

    @property
    def handling(self) -> Handling:
        """What the reason means for the order; only the conversation's own reasons have it."""
        return ReasonCode(self.code).handling


@dataclass(frozen=True, slots=True)
class Match:
    """Words that were taken for something on the menu.

    `kind` says what: an item, a modifier, or an item that is to go. `quality` (0 to 1) is how well
    they match its name.
    """

    kind: Literal["item", "modifier", "removed"]
    id: str
    name: str
    text: str
    quality: float


@dataclass(frozen=True, slots=True)
class WeighedReading:
    """A way in which an utterance could be meant, given the order so far.

    `name` is how its acts are taken (`Construal`), `probability` (0 to 1) how likely that is.
    `taken`: the order went by it. `because` are the features that decided about it.
    """

    name: str
    probability: float
    taken: bool
    because: tuple[Sign, ...] = ()


@dataclass(frozen=True, slots=True)
class CartUpdate:
    """The whole order after an utterance.

    `changed`: its items differ from before. `readback` is the whole order in words, `change` what
    this utterance did to it ("" for nothing). `notes` is what staff must know whatever becomes of
    the items: an allergy. `customer_name`: for whom the order is, if the guest has said so;
    `table_number`: for which table, where the restaurant serves at tables.
    `settled`: every line can be made as it is, and nothing is left to ask the guest. `utterance` is
    the one that was heard, `matched` what its words were taken for, and `readings` are the ways in
    which it could be meant, the likeliest first. `status_without_trial`: the status that the order
    would have if its menu were not on trial; None if it is not.
    """

    items: tuple[ItemDraft, ...]
    status: Status
    reasons: tuple[Reason, ...]
    readback: str
    changed: bool
    change: str = ""
    notes: str | None = None
    customer_name: str | None = None
    table_number: str | None = None
    settled: bool = True
    utterance: int = 0
    matched: tuple[Match, ...] = ()
    readings: tuple[WeighedReading, ...] = ()
    status_without_trial: Status | None = None
