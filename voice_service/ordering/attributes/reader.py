"""What is said about an item, read off the words beside it, whichever item it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from order_events.domain.drafts import Qualifier
from voice_service.ordering.attributes.certainty import statement_certainty
from voice_service.ordering.attributes.collector import StatementCollector
from voice_service.ordering.attributes.statements import (
    CategoryStatement,
    ClauseBreak,
    CountStatement,
    GroupStatement,
    ItemStatement,
    Link,
    ModifierStatement,
    PlainStatement,
    SizeStatement,
    Statement,
    Times,
    UnknownWords,
)
from voice_service.ordering.language.cue_sets import ATTACHES, ONE_MORE, SEPARATES
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
    AllOf,
    Described,
    Ordinal,
    Partition,
    Pointer,
    all_but,
    ends,
    read_pointer,
)


@dataclass
class AttributeReader:
    """Reads a stretch of parts without items into what they say, in order."""

    mentions: Sequence[Mention]
    said: StatementCollector = field(default_factory=StatementCollector)
    _negated: bool = False
    _carried: Link | None = None
    _qualifier: Qualifier | None = None
    _count: int | None = None
    _count_words: tuple[int, ...] = ()
    _more: bool = False
    _wanted: bool = False
    _all: bool = False
    _linked: bool = False
    _either: bool = False
    _qualifier_text: str = ""
    _listed: bool = False
    _split: bool = False
    _with: bool = False

    def read(self) -> list[Statement]:
        """Everything said, in order."""
        index = 0
        while index < len(self.mentions):
            end = self._points(index)
            if end is None:
                self._one(index, self.mentions[index])
            index = end or index + 1
        self._reset()
        return self.said.complete()

    def _points(self, index: int) -> int | None:  # noqa: PLR0911 - one for each way to point
        """Takes words that say on which of several; returns where they end, None if there are none.

        They stand behind what they are about ("no onions on one") or before it.
        """
        mention = self.mentions[index]
        if self._times(index):
            return index + 2
        if mention.cue(Cue.NO) and mention.cue(Cue.BOTH):  # "neither with"
            self.said.append(AllOf(mention.cue(Cue.PAIR), mention.span.text))
            return None
        excepted = all_but(self.mentions, index)
        if excepted is not None:
            count, end = excepted
            return end if self.said.all_but(count) else None
        start = index + 1 if mention.cue(*ATTACHES) else index
        found = read_pointer(self.mentions, start, bare=start > index)
        if found is None:
            return None
        said, end = found
        goes_on = start == index and any(p.cue(Cue.NO) for p in self.mentions[end : end + 1])
        if ends(self.mentions, end) and not goes_on and self.said.run() < len(self.said):
            self.said.point_back(said)
            self._reset()
            self.said.settle()
            return end
        has = end < len(self.mentions) and self.mentions[end].cue(Cue.REQUEST)
        if (
            isinstance(said, AllOf)
            and has
            and role_follows(self.mentions, end, MentionType.MODIFIER)
        ):
            self.said.append(said)
            return end + 1
        if not self._leads(said, start, end):
            return None
        self._count_stands_alone()
        if isinstance(said, Partition):
            said.linked = index > 0 and self.mentions[index - 1].cue(Cue.AND)
        self.said.open(said)
        self._split = True
        return end + has

    def _times(self, index: int) -> bool:
        """Takes "times two" or "two times"."""
        pair = self.mentions[index : index + 2]
        number = next((p for p in pair if p.role is MentionType.NUMBER), None)
        if len(pair) < 2 or number is None or not any(p.cue(Cue.TIMES) for p in pair):
            return False
        self.said.append(Times(number.span.value or 1))
        return True

    def _leads(self, said: Pointer, start: int, end: int) -> bool:
        """Whether it is said of what follows, and no bare number like that in "on two"."""
        match said:
            case Partition(count, _, but):
                return count is None or but or end > start + 1
            case _:
                return isinstance(said, Ordinal | Described)

    def _one(self, index: int, mention: Mention) -> None:
        self._all = any(p.cue(Cue.BOTH) for p in just_before(self.mentions, index))
        match mention.role:
            case MentionType.MODIFIER:
                self._modifier(index, mention)
            case MentionType.SIZE:
                self.said.append(
                    SizeStatement(
                        mention.candidates,
                        mention.also,
                        mention.span.text,
                        mention.span.words + self._count_words,
                        self._count,
                        self._more,
                        mention.span.has(Cue.SOFT),
                        self._linked,
                        bool(self._count_words),
                    )
                )
                self._forget_count()
            case MentionType.NUMBER:
                self._number(index, mention)
            case MentionType.GROUP | MentionType.CATEGORY:
                self._heading(mention)
            case MentionType.ITEM:
                self.said.append(ItemStatement(mention))
                self._reset()
            case MentionType.UNKNOWN:
                self._unknown(mention)
            case MentionType.CUE:
                self._cue(index, mention)

    def _modifier(self, index: int, mention: Mention) -> None:
        said = ModifierStatement(
            mention.candidates, mention.span.text, mention.span.words + self._count_words
        )
        said.negated, said.carried = self._negated, self._carried
        said.qualifier, said.quantity = self._qualifier, self._number_said()
        said.apart = said.quantity is not None and not self._listed
        said.counted = self._count if self._linked and not self._negated else None
        said.linked, said.after_with = self._linked, self._with
        said.certainty = statement_certainty(
            self.mentions, index, self.said, carried=self._carried, negated=self._negated
        )
        self.said.take(said, either=self._either and not self._negated)
        self._either = False
        if self._negated or self._carried is not None:
            self._carried = ""
        self._qualifier = None
        self._forget_count()

    def _number(self, index: int, mention: Mention) -> None:
        self._count_stands_alone()
        if next_is(self.mentions, index, Cue.WITH, Cue.NO, Cue.PLAIN, Cue.ONLY, Cue.ON):
            linked = index > 0 and self.mentions[index - 1].cue(Cue.AND)
            self.said.open(Partition(mention.span.value, linked=linked))
            self._split, self._with = True, False
            return
        self._with = False
        self._count, self._count_words = mention.span.value, mention.span.words

    def _heading(self, mention: Mention) -> None:
        sense = mention.candidates[0]
        wanted = self._wanted or self._count is not None or self._all or self._linked
        if mention.role is MentionType.GROUP:
            said = GroupStatement(sense.id, mention.span.text, self._negated, wanted, self._all)
            said.named = candidates_of(mention.span, "modifier")
            self.said.append(said)
            self._carried = "" if self._negated else self._carried
        else:
            count = self._count
            further = self._linked and count is not None
            self.said.append(
                CategoryStatement(
                    sense.id, mention.span.text, self._negated, wanted, count, further
                )
            )
        self._forget_count()

    def _unknown(self, mention: Mention) -> None:
        last = self.said[-1] if self.said else None
        if isinstance(last, UnknownWords) and self._count is None:
            last.text += " " + mention.span.text
            return
        if isinstance(last, SizeStatement) and last.count is not None and self._count is None:
            # "A medium sprite", where there is no Sprite: the size is none of another item's.
            self.said[-1] = UnknownWords(f"{last.text} {mention.span.text}", wanted=True)
            return
        self.said.append(UnknownWords(mention.span.text, self._wanted or self._count is not None))
        self._forget_count()

    def _cue(self, index: int, mention: Mention) -> None:
        for reading in (self._denial, self._degree, self._scope, self._count_of, self._join):
            if reading(index, mention):
                return

    def _denial(self, index: int, mention: Mention) -> bool:
        if not mention.cue(Cue.NO):
            return False
        following = self.mentions[index + 1 : index + 2]
        ends_here = not following or following[0].cue(Cue.AND, Cue.STOP, Cue.COMMA)
        if ends_here and self.said.leave_off_those():
            return True
        adds = role_follows(self.mentions, index + 1, MentionType.MODIFIER)  # "without adding ham"
        if next_is(self.mentions, index, Cue.AND, Cue.WITH, Cue.OR, *(() if adds else (Cue.ADD,))):
            # Without what? It must not vanish.
            self.said.append(UnknownWords(mention.span.text, wanted=False))
        self._unused_qualifier()
        self._negated, self._carried = True, None
        self._forget_count()
        return True

    def _degree(self, index: int, mention: Mention) -> bool:
        """How much of something, and where: "extra", "a large", "on the side", "half"."""
        if mention.cue(Cue.EXTRA):
            self._emphasis("extra", mention, keep_negation=self._carried is None)
        elif mention.cue(Cue.LIGHT):
            self._emphasis("light", mention, keep_negation=False)
        elif mention.cue(Cue.SIZE_WORD):
            self.said.append(
                SizeStatement((), (), mention.span.text, mention.span.words, self._count)
            )
            self._forget_count()
        elif mention.cue(Cue.ASIDE):
            wish = next_is(self.mentions, index, Cue.REQUEST)
            self.said.set_aside(self._qualifier_text, before_wish=wish)
        elif mention.cue(Cue.HALF):
            if role_follows(self.mentions, index, MentionType.MODIFIER) or half_with(
                self.mentions, index
            ):
                self._emphasis("half", mention, keep_negation=False)
            elif role_follows(self.mentions, index, MentionType.UNKNOWN) or not self.said.qualify(
                "half", self._qualifier_text
            ):
                self.said.append(UnknownWords(mention.span.text, wanted=False))
        else:
            return False
        return True

    def _scope(self, index: int, mention: Mention) -> bool:
        """What is true of all of them, or all that is on one: "both", "only", "everything"."""
        if mention.cue(Cue.BOTH) and for_all(self.mentions, index):
            self.said.open(AllOf(mention.cue(Cue.PAIR), mention.span.text))
        elif mention.cue(Cue.PLAIN, Cue.ONLY):
            counts = any(p.cue(Cue.ONE, Cue.NUMBER) for p in self.mentions[index + 1 :][:1])
            if not (mention.cue(Cue.ONLY) and counts):  # "only one"
                self.said.append(PlainStatement())
                self._negated, self._carried = False, None
        elif mention.cue(Cue.EVERYTHING) and index and self.mentions[index - 1].cue(Cue.NO):
            # "Hold the everything": plain, or a joke?
            self.said.append(UnknownWords(mention.span.text, wanted=False))
        else:
            return False
        return True

    def _count_of(self, index: int, mention: Mention) -> bool:
        """What links or counts what follows: "and", "or", "one", "another", "a"."""
        if mention.cue(*SEPARATES):
            self._link(mention)
        elif mention.cue(Cue.ONE) and mention.cue(*ONE_MORE) and told_apart(self.mentions, index):
            self._count_stands_alone()
            self.said.open(Partition(1, linked=index > 0 and self.mentions[index - 1].cue(Cue.AND)))
        elif mention.cue(Cue.MORE):
            self._count, self._more = 1, True
            self._wanted = True
        elif mention.cue(Cue.A):
            if self._carried is not None:
                self._negated, self._carried = False, None  # "no onions and a pickle"
            self._count_stands_alone()
            self._count, self._count_words, self._wanted = 1, (), True
        else:
            return False
        return True

    def _join(self, index: int, mention: Mention) -> bool:
        """What begins something on the item, or a new thought: "with", "but", "I want"."""
        after = index > 0
        if mention.cue(Cue.ADD) and after and self.mentions[index - 1].cue(Cue.NO):
            pass  # "without adding ham"
        elif mention.cue(Cue.BUT) and after and self.mentions[index - 1].span.has(Cue.EVERYTHING):
            self._unused_qualifier()
            self._negated, self._carried = True, None  # "everything but onions"
        elif mention.cue(Cue.WITH) and after and half_with(self.mentions, index - 1):
            pass  # "half with cheese"
        elif mention.cue(Cue.WITH, Cue.ADD, Cue.BUT):
            either = self._either
            self._reset()
            self._either = either
            self._wanted, self._listed = True, not self._split
            self._with = mention.cue(Cue.WITH)
        elif mention.cue(Cue.FOR) and any(
            p.role is MentionType.ITEM for p in self.mentions[index + 1 :][:2]
        ):
            pass  # "large for the fries"
        elif mention.cue(Cue.REQUEST, Cue.ALSO, Cue.STOP, Cue.QUESTION_MARK, Cue.FOR):
            self._reset()
            self._wanted = mention.cue(Cue.REQUEST)
            self._listed = self._split = self._with = False
            self.said.append(ClauseBreak())
        else:
            return False
        return True

    def _emphasis(self, qualifier: Qualifier, mention: Mention, *, keep_negation: bool) -> None:
        if not keep_negation:
            self._negated, self._carried = False, None
        self._unused_qualifier()
        self._qualifier, self._qualifier_text = qualifier, mention.span.text

    def _unused_qualifier(self) -> None:
        """ "Extra" what? It must not vanish."""
        if self._qualifier is not None:
            self.said.append(UnknownWords(self._qualifier_text, wanted=False))
        self._qualifier = None

    def _link(self, mention: Mention) -> None:
        self._linked = mention.cue(Cue.AND)
        self._either = mention.cue(Cue.OR) or (self._either and mention.cue(Cue.COMMA))
        if mention.cue(Cue.COMMA):
            self.said.comma()
        if self._carried is not None:
            links: dict[Cue, Link] = {Cue.OR: "or", Cue.AND: "and"}
            self._carried = next(
                (w for c, w in links.items() if mention.cue(c)), self._carried or ","
            )

    def _count_stands_alone(self) -> None:
        if self._count is not None and self._count_words:
            self.said.append(CountStatement(self._count, self._count_words, self._wanted))
        self._forget_count()

    def _number_said(self) -> int | None:
        return self._count if self._count_words else None

    def _forget_count(self) -> None:
        self._count, self._count_words, self._more = None, (), False

    def _reset(self) -> None:
        self._count_stands_alone()
        self._unused_qualifier()
        self._negated, self._carried = False, None
        self._wanted = self._linked = self._either = False
