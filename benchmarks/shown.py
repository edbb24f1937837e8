"""What a server had shown of a stream's words at each moment, and what that meant for the guests.

Servers cut their text differently: some into utterances, some into segments that run across pauses.
So all are judged by their words. The committed text of a whole stream (what the server will not
change) is laid beside what was said, by their longest common subsequence; the words of an utterance
are those from its first to its last that is right, or, if none is, what stands between its
neighbours' words.

- first partial: when a word of the utterance was shown first, committed or not.
- final: when the last of its words was committed. Missing if it has none.
- settled: how long after its place was first filled a word and all before it no longer changed.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from rapidfuzz.distance import LCSseq

Words = tuple[str, ...]

_SLACK: Final = 8
"""Words further on than its place in the committed text in which a partial's word may be found."""


def words(text: str) -> Words:
    """Return lower-case words without punctuation."""
    return tuple(re.findall(r"[\w']+", text.lower()))


@dataclass(frozen=True, slots=True)
class Spoken:
    """An utterance of a stream: where speech begins and ends (seconds), and its words."""

    onset: float
    end: float
    words: Words


@dataclass(frozen=True, slots=True)
class Shown:
    """All text of a stream as a client showed it from `at` (seconds of the stream) on."""

    at: float
    committed: Words
    pending: Words

    @property
    def text(self) -> Words:
        """Return all text, committed or not."""
        return self.committed + self.pending


@dataclass(frozen=True, slots=True)
class Wait:
    """What the guest of one utterance waited, in seconds; None where nothing came.

    `end` is when speech ended, in seconds of the stream.
    """

    end: float
    first_partial: float | None = None
    final: float | None = None


@dataclass
class Figures:
    """What guests waited, what each word waited to settle (seconds), and counts of words."""

    waits: list[Wait] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)
    spoken: int = 0
    right: int = 0
    partial: int = 0
    changed: int = 0

    @property
    def first_partial(self) -> list[float]:
        """Return the waits of the utterances that were shown."""
        return [w.first_partial for w in self.waits if w.first_partial is not None]

    @property
    def final(self) -> list[float]:
        """Return the waits of the utterances that were committed."""
        return [w.final for w in self.waits if w.final is not None]

    @property
    def missing(self) -> int:
        """Return the number of utterances that were not committed."""
        return len(self.waits) - len(self.final)

    def add(self, other: Figures) -> None:
        """Add another stream's figures."""
        self.waits += other.waits
        self.settled += other.settled
        self.spoken += other.spoken
        self.right += other.right
        self.partial += other.partial
        self.changed += other.changed

    def during(self, begin: float, end: float) -> Figures:
        """Return the waits of utterances that ended between two seconds of their streams."""
        return Figures([wait for wait in self.waits if begin <= wait.end < end])


def figures(shown: Sequence[Shown], said: Sequence[Spoken]) -> Figures:
    """Judge one stream."""
    committed = shown[-1].committed if shown else ()
    spans, right = attribute(committed, [utterance.words for utterance in said])
    found = Figures(spoken=sum(len(u.words) for u in said), right=right)
    known = list(itertools.accumulate((len(state.committed) for state in shown), max))
    begin = 0
    for utterance, span in zip(said, spans, strict=True):
        if span is None:
            found.waits.append(Wait(utterance.end))
            continue
        final = shown[bisect.bisect_left(known, span[1])].at
        first = min(final, _first_partial(shown, utterance.onset, committed, begin, span))
        found.waits.append(Wait(utterance.end, first - utterance.onset, final - utterance.end))
        begin = span[1]
    _partials(shown, committed, [span[1] for span in spans if span], found)
    return found


def attribute(committed: Words, said: Sequence[Words]) -> tuple[list[tuple[int, int] | None], int]:
    """Return, per utterance, its span of words in the committed text; and the number of right
    words.
    """
    reference = list(itertools.chain.from_iterable(said))
    owners = [i for i, utterance in enumerate(said) for _ in utterance]
    spans: list[tuple[int, int] | None] = [None] * len(said)
    right = 0
    for block in LCSseq.opcodes(list(committed), reference):
        if block.tag != "equal":
            continue
        right += block.src_end - block.src_start
        for heard, meant in zip(
            range(block.src_start, block.src_end),
            range(block.dest_start, block.dest_end),
            strict=True,
        ):
            span = spans[owners[meant]]
            spans[owners[meant]] = (span[0] if span else heard, heard + 1)
    return _fill(spans, len(committed)), right


def _fill(spans: list[tuple[int, int] | None], length: int) -> list[tuple[int, int] | None]:
    """Give an utterance without a right word the words between its neighbours."""
    filled: list[tuple[int, int] | None] = []
    begin = 0
    for i, span in enumerate(spans):
        until = next((later[0] for later in spans[i:] if later), length)
        filled.append(span or ((begin, until) if until > begin else None))
        begin = (filled[-1] or (0, begin))[1]
    return filled


def _first_partial(
    shown: Sequence[Shown], onset: float, committed: Words, begin: int, span: tuple[int, int]
) -> float:
    """Return when a word of the utterance was first shown; `begin` is where the last one's end."""
    start = bisect.bisect_left(shown, onset, key=lambda s: s.at)
    before = shown[start - 1].text if start else ()
    for state in shown[start:]:
        if state.text != before and _shows(state, committed, begin, span):
            return state.at
    return float("inf")


def _shows(state: Shown, committed: Words, begin: int, span: tuple[int, int]) -> bool:
    known = len(state.committed)
    if known >= begin:
        return len(state.text) > begin
    # The utterance before is not committed yet: whose words are these?
    expected = committed[known : span[1]]
    return any(
        block.tag == "equal" and known + block.dest_end > span[0]
        for block in LCSseq.opcodes(list(state.pending), list(expected))
    )


def _partials(shown: Sequence[Shown], committed: Words, ends: Sequence[int], into: Figures) -> None:
    """Return how much of what was shown changed later, and how long words took to settle."""
    agreed: list[int] = []
    for state in shown:
        place = bisect.bisect_right(ends, len(state.committed))
        begin = ends[place - 1] if place else 0
        current = state.text[begin:]
        became = committed[begin : begin + len(current) + _SLACK]
        agreed.append(begin + _common_prefix(current, became))
        if state.pending:
            into.partial += len(current)
            into.changed += len(current) - LCSseq.similarity(current, became)
    # What a state agrees on counts from when no later state disagrees.
    settled = list(itertools.accumulate(reversed(agreed), min))[::-1]
    into.settled += _settling(shown, settled, len(committed))


def _common_prefix(one: Words, other: Words) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def _settling(shown: Sequence[Shown], settled: Sequence[int], length: int) -> Iterator[float]:
    filled_at: list[float] = []
    done = 0
    for state, sure in zip(shown, settled, strict=True):
        filled_at += [state.at] * (min(len(state.text), length) - len(filled_at))
        for position in range(done, min(sure, length)):
            yield state.at - filled_at[position]
        done = max(done, sure)
