"""What a guest says about an item, read off the words beside it, whichever item it is."""

from __future__ import annotations

from collections.abc import Sequence

from voice_service.ordering.attributes.collector import StatementCollector
from voice_service.ordering.attributes.context import Clause, Count, ReadingContext, Toppings
from voice_service.ordering.attributes.doubted import doubts_of
from voice_service.ordering.attributes.statements import (
    CategoryStatement,
    ClauseBreak,
    GroupStatement,
    ItemStatement,
    Link,
    ModifierStatement,
    Negation,
    PlainStatement,
    SizeStatement,
    Statement,
    Times,
    UnknownWords,
)
from voice_service.ordering.language.cue_sets import (
    ATTACHES,
    DIFFERS,
    ENDS_SENTENCE,
    ONE_MORE,
    PAUSES,
    SEPARATES,
)
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.lookahead import (
    for_all,
    half_with,
    just_before,
    next_is,
    role_follows,
    told_apart,
)
from voice_service.ordering.mentions.mention import Mention, MentionType, candidates_of
from voice_service.ordering.references.pointers import (
    all_but,
    all_of,
    ends,
    read_pointer,
    some_of,
)


class AttributeReader:
    """Reads mentions without items into statements, in order."""

    def __init__(self, mentions: Sequence[Mention]) -> None:
        self._mentions = mentions
        self._statements = StatementCollector()
        self._context = ReadingContext(self._statements)

    def read(self) -> list[Statement]:
        """Return everything said."""
        index = 0
        while index < len(self._mentions):
            end = self._pointer(index)
            if end is None:
                self._mention(index, self._mentions[index])
            index = end or index + 1
        self._context.end_clause()
        return list(self._statements)

    def _pointer(self, index: int) -> int | None:
        """Read words that say which of several items is meant; return where they end.

        They stand after what they are about ("no onions on one"), or before it. Return None if
        there are none.
        """
        mention = self._mentions[index]
        if self._times(index):
            return index + 2
        if mention.cue(Cue.NO) and mention.cue(Cue.BOTH):  # "neither with"
            self._statements.append(all_of(mention))
            return None
        excepted = all_but(self._mentions, index)
        if excepted is not None:
            return excepted[1] if self._statements.all_but(excepted[0]) else None
        return self._reference(index)

    def _times(self, index: int) -> bool:
        """Read "times two" or "two times"."""
        pair = self._mentions[index : index + 2]
        number = next((p for p in pair if p.role is MentionType.NUMBER), None)
        if len(pair) < 2 or number is None or not any(p.cue(Cue.TIMES) for p in pair):
            return False
        self._statements.append(Times(number.span.value or 1))
        return True

    def _reference(self, index: int) -> int | None:
        """Read "on one", "the first one", "one of them"; return where it ends."""
        start = index + 1 if self._mentions[index].cue(*ATTACHES, Cue.WITH) else index
        found = read_pointer(self._mentions, start, bare=start > index)
        if found is None:
            return None
        pointer, end = found
        apart = self._mentions[start].apart
        if not apart and self._points_back(index, start, end):
            self._statements.point_back(pointer)
            self._context.end_clause()
            self._statements.settle()
            return end
        has = end < len(self._mentions) and self._mentions[end].cue(Cue.REQUEST)  # "both have"
        if pointer.all_of_them and has and role_follows(self._mentions, end, MentionType.MODIFIER):
            self._statements.append(pointer)
            return end + 1
        if not apart and not pointer.leads_on:
            return None
        if not apart and pointer.counted and end == start + 1:
            return None  # a number alone, as in "on two"
        self._context.end_clause()
        self._statements.append(pointer)
        self._context.toppings = Toppings(parted=True)
        return end + has

    def _points_back(self, index: int, start: int, end: int) -> bool:
        """Return whether a reference is about the statements before it: "no onions on one"."""
        goes_on = start == index and any(p.cue(Cue.NO) for p in self._mentions[end : end + 1])
        said_before = self._statements.run() < len(self._statements)
        return ends(self._mentions, end) and not goes_on and said_before

    def _mention(self, index: int, mention: Mention) -> None:
        match mention.role:
            case MentionType.MODIFIER:
                self._modifier(index, mention)
            case MentionType.SIZE:
                self._size(mention)
            case MentionType.NUMBER:
                self._number(index, mention)
            case MentionType.GROUP | MentionType.CATEGORY:
                self._heading(index, mention)
            case MentionType.ITEM:
                self._statements.append(ItemStatement(mention))
                self._context.end_clause()
            case MentionType.UNKNOWN:
                self._unknown(mention)
            case MentionType.CUE:
                self._cue(index, mention)

    def _modifier(self, index: int, mention: Mention) -> None:
        if mention.portions:
            self._context.end_count()
        clause, toppings, count = self._context.clause, self._context.toppings, self._context.count
        negated = self._context.negation is not None
        counted = count.value if clause.linked and not negated else None
        modifier = ModifierStatement(
            mention.candidates,
            mention.span.text,
            mention.span.words + count.words,
            negation=self._context.negation,
            qualifier=self._context.degree,
            quantity=mention.portions or count.number,
            counts_items=count.number is not None and not toppings.listed,
            doubts=doubts_of(self._mentions, index, self._statements, self._context.negation),
            after_with=toppings.after_with,
            counted=counted,
        )
        self._statements.take(modifier, either=clause.either and not negated)
        clause.either = False
        self._context.carry_negation("")
        self._context.degree = None
        self._context.count = Count()

    def _size(self, mention: Mention) -> None:
        count = self._context.count
        self._statements.append(
            SizeStatement(
                mention.candidates,
                mention.also,
                mention.span.text,
                mention.span.words + count.words,
                count.value,
                count.more,
                mention.span.has(Cue.SOFT),
                self._context.clause.linked,
                bool(count.words),
                not mention.span.cues,
            )
        )
        self._context.count = Count()

    def _number(self, index: int, mention: Mention) -> None:
        self._context.end_count()
        self._context.toppings.after_with = False
        if next_is(self._mentions, index, *DIFFERS, Cue.ON):
            linked = self._before(index, Cue.AND)
            self._statements.append(some_of(mention.span.value or 1, linked=linked))
            self._context.toppings.parted = True
            return
        self._context.count = Count(mention.span.value, mention.span.words)

    def _heading(self, index: int, mention: Mention) -> None:
        """Read the name of a group or category."""
        candidate, text, count = mention.candidates[0], mention.span.text, self._context.count.value
        every = any(p.cue(Cue.BOTH) for p in just_before(self._mentions, index))
        wanted = (
            self._context.clause.wanted or count is not None or every or self._context.clause.linked
        )
        negated = self._context.negation is not None
        if mention.role is MentionType.GROUP:
            named = candidates_of(mention.span, "modifier")
            group = GroupStatement(candidate.id, text, negated, wanted, every, named)
            self._statements.append(group)
            self._context.carry_negation("")
        else:
            further = self._context.clause.linked and count is not None
            category = CategoryStatement(candidate.id, text, negated, wanted, count, further)
            self._statements.append(category)
        self._context.count = Count()

    def _unknown(self, mention: Mention) -> None:
        last = self._statements[-1] if self._statements else None
        text, count = mention.span.text, self._context.count.value
        if isinstance(last, UnknownWords) and count is None:
            last.text += " " + text
            return
        if isinstance(last, SizeStatement) and last.count is not None and count is None:
            # "A medium sprite", where there is no Sprite: the size is none of another item's.
            self._statements[-1] = UnknownWords(f"{last.text} {text}", wanted=True)
            return
        self._statements.append(
            UnknownWords(text, self._context.clause.wanted or count is not None)
        )
        self._context.count = Count()

    def _cue(self, index: int, mention: Mention) -> None:
        for reading in (self._denial, self._amount, self._scope, self._link_or_count, self._join):
            if reading(index, mention):
                return

    def _denial(self, index: int, mention: Mention) -> bool:
        if not mention.cue(Cue.NO):
            return False
        following = self._mentions[index + 1 : index + 2]
        ends_here = not following or following[0].cue(Cue.AND, *PAUSES)
        if ends_here and self._statements.leave_off_those():
            return True
        adds = role_follows(self._mentions, index + 1, MentionType.MODIFIER)  # "without adding ham"
        lacks_object = (Cue.AND, Cue.WITH, Cue.OR) if adds else (Cue.AND, Cue.WITH, Cue.OR, Cue.ADD)
        if next_is(self._mentions, index, *lacks_object):
            # Without what? It must not vanish.
            self._statements.append(UnknownWords(mention.span.text, wanted=False))
        self._context.end_degree()
        self._context.negation = Negation()
        self._context.count = Count()
        return True

    def _amount(self, index: int, mention: Mention) -> bool:
        """Read how much of something is wanted, and where: "extra", "on the side", "half"."""
        if mention.cue(Cue.EXTRA):
            self._context.begin_degree("extra", mention, keep_negation=not self._context.carried)
        elif mention.cue(Cue.LIGHT):
            self._context.begin_degree("light", mention, keep_negation=False)
        elif mention.cue(Cue.SIZE_WORD):
            size = SizeStatement(
                (), (), mention.span.text, mention.span.words, self._context.count.value
            )
            self._statements.append(size)
            self._context.count = Count()
        elif mention.cue(Cue.ASIDE):
            self._statements.set_aside(self._context.degree_text)
        elif mention.cue(Cue.HALF):
            self._half(index, mention)
        else:
            return False
        return True

    def _half(self, index: int, mention: Mention) -> None:
        """Read "half" of what follows, or of the modifier before."""
        if role_follows(self._mentions, index, MentionType.MODIFIER) or half_with(
            self._mentions, index
        ):
            self._context.begin_degree("half", mention, keep_negation=False)
        elif role_follows(
            self._mentions, index, MentionType.UNKNOWN
        ) or not self._statements.qualify("half", self._context.degree_text):
            self._statements.append(UnknownWords(mention.span.text, wanted=False))

    def _scope(self, index: int, mention: Mention) -> bool:
        """Read what is true of all of them, or all that is on one: "both", "only", "plain"."""
        if mention.cue(Cue.BOTH) and for_all(self._mentions, index):
            self._statements.append(all_of(mention))
        elif mention.cue(Cue.PLAIN, Cue.ONLY):
            counts = next_is(self._mentions, index, Cue.ONE, Cue.NUMBER, Cue.REQUEST)
            if not (mention.cue(Cue.ONLY) and counts):  # "only one"
                self._statements.append(PlainStatement())
                self._context.negation = None
        elif mention.cue(Cue.EVERYTHING) and self._before(index, Cue.NO):
            # "Hold the everything": plain, or a joke?
            self._statements.append(UnknownWords(mention.span.text, wanted=False))
        else:
            return False
        return True

    def _link_or_count(self, index: int, mention: Mention) -> bool:
        """Read what links or counts what follows: "and", "or", "another", "a"."""
        if mention.cue(*SEPARATES):
            self._link(mention)
        elif mention.cue(Cue.ONE) and mention.cue(*ONE_MORE) and self._one_of_kind(index):
            self._context.end_count()
            linked = self._before(index, Cue.AND) or not told_apart(self._mentions, index)
            self._statements.append(some_of(1, linked=linked))
        elif mention.cue(Cue.MORE):
            self._context.count = Count(1, self._context.count.words, more=True)
            self._context.clause.wanted = True
        elif mention.cue(Cue.A):
            if self._context.carried:
                self._context.negation = None  # "no onions and a pickle"
            self._context.end_count()
            self._context.count = Count(1)
            self._context.clause.wanted = True
        else:
            return False
        return True

    def _one_of_kind(self, index: int) -> bool:
        """Return whether a word that is "a" and "one" stands for an item: "una de pollo"."""
        kind = next_is(self._mentions, index, Cue.MEASURE) and role_follows(
            self._mentions, index + 1, MentionType.MODIFIER
        )
        return kind or told_apart(self._mentions, index)

    def _join(self, index: int, mention: Mention) -> bool:
        """Read what leads to something on the item, or begins a new clause: "with", "I want"."""
        if mention.cue(Cue.ADD, Cue.REQUEST) and self._denied(index):
            pass  # "without adding ham", "could I not get ham"
        elif mention.cue(Cue.BUT) and index and self._mentions[index - 1].span.has(Cue.EVERYTHING):
            self._context.end_degree()
            self._context.negation = Negation()  # "everything but onions"
        elif mention.cue(Cue.WITH) and index and half_with(self._mentions, index - 1):
            pass  # "half with cheese"
        elif mention.cue(Cue.WITH, Cue.ADD, Cue.BUT):
            either = self._context.clause.either
            self._context.end_clause()
            self._context.clause = Clause(wanted=True, either=either)
            self._context.toppings.listed = not self._context.toppings.parted
            self._context.toppings.after_with = mention.cue(Cue.WITH)
        elif mention.cue(*ENDS_SENTENCE, Cue.REQUEST, Cue.ALSO, Cue.FOR):
            self._context.end_clause()
            self._context.clause.wanted = mention.cue(Cue.REQUEST)
            self._context.toppings = Toppings()
            self._statements.append(ClauseBreak())
        else:
            return False
        return True

    def _link(self, mention: Mention) -> None:
        clause = self._context.clause
        clause.linked = mention.cue(Cue.AND)
        clause.either = mention.cue(Cue.OR) or (clause.either and mention.cue(Cue.COMMA))
        if mention.cue(Cue.COMMA):
            self._statements.comma()
        negation = self._context.negation
        if negation is None or negation.across is None:
            return
        link: Link = negation.across or ","
        if mention.cue(Cue.OR):
            link = "or"
        elif mention.cue(Cue.AND):
            link = "and"
        self._context.carry_negation(link)

    def _before(self, index: int, cue: Cue) -> bool:
        """Return whether the mention before `index` acts as a cue."""
        return index > 0 and self._mentions[index - 1].cue(cue)

    def _denied(self, index: int) -> bool:
        """Return whether a verb stands behind a negation that is no answer ("no, I want")."""
        while self._before(index, Cue.FILLER):
            index -= 1
        return self._before(index, Cue.NO) and not self._before(index, Cue.DENY)
