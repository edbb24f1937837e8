"""The parser: from an utterance to dialogue acts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from voice_service.ordering.acts import Act, Aside, Problem
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.intents.commands import read_command
from voice_service.ordering.intents.counting import count_before_pause
from voice_service.ordering.intents.incomplete import incomplete_tail, itemless_statement
from voice_service.ordering.intents.off_topic import (
    broken_off,
    extract_service,
    is_talk,
    only_ordinary_size,
    unplaced,
    yes_or_no,
)
from voice_service.ordering.intents.parse_state import ParseState
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.mentions.allergies import extract_allergies
from voice_service.ordering.mentions.homophones import by_sound
from voice_service.ordering.mentions.mention import Mention, MentionType
from voice_service.ordering.mentions.segmentation import Segmenter, Span
from voice_service.ordering.mentions.shared_heads import with_shared_heads
from voice_service.ordering.mentions.tagging import roles
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.ordering.menu.lexicon import Candidate
from voice_service.ordering.reasons import ReasonCode
from voice_service.ordering.references.answers import fill_choice
from voice_service.ordering.references.contrasts import for_somebody, tell_apart
from voice_service.ordering.references.descriptions import fold_descriptions
from voice_service.ordering.references.named import name_in_full
from voice_service.ordering.references.pointers import text_of
from voice_service.ordering.references.repeated import name_the_same
from voice_service.ordering.references.topics import put_in_place

_BEGINS = (Cue.WITH, Cue.ADD, Cue.EXTRA, Cue.LIGHT)
"""Words held back that began with these are no talk: "with an extra shot"."""


@dataclass(frozen=True)
class Parsed:
    """What an utterance asks for.

    `spans` account for each of its words but hesitations, in order; `mentions` are the spans that
    are more than filler, each with its role. `incomplete` are words at the end that wait for what
    follows ("and a large …"); no act contains them. `continues`: it begins as an addition ("and",
    "also"). `denies`: it begins with a "no" or the like. `asked_about`: items that the guest asked
    about and has not ordered since.
    """

    acts: tuple[Act, ...]
    mentions: tuple[Mention, ...]
    incomplete: tuple[Mention, ...] = ()
    continues: bool = False
    denies: bool = False
    spans: tuple[Span, ...] = ()
    asked_about: tuple[Candidate, ...] = ()

    @property
    def by_sound(self) -> Set[int]:
        """The indexes of words that are read as others which sound the same."""
        return {w for span in self.spans if span.by_sound for w in span.words}

    @property
    def nearness(self) -> Mapping[int, float]:
        """How near each word whose spelling was corrected is to what was heard, by its index."""
        return {w: span.nearness for span in self.spans if span.nearness < 1 for w in span.words}


class Parser:
    """Parses utterances against one menu. Pure; one parser serves any number of conversations."""

    def __init__(self, menu: CompiledMenu) -> None:
        self._menu = menu
        self._segmenter = Segmenter(menu.lexicon, menu.language)

    def parse(self, text: str, cart: CartView, *, final: bool = False, waiting: int = 0) -> Parsed:
        """Return what `text` asks for. Never raises.

        `final`: nothing follows, so no words are held back as incomplete. `waiting`: so many of the
        words were held back from the utterance before.
        """
        spans = by_sound(self._segmenter.segment(text), self._menu, cart.items)
        allergies = extract_allergies(text, spans, self._menu.language)
        to_staff, spoken = extract_service(allergies.rest)
        mentions = self._mentions(spoken, cart)
        tail = () if final else incomplete_tail(mentions, cart)
        body = mentions[: len(mentions) - len(tail)]
        state = self._read(body, cart, waiting)
        if not state.acts:
            state.acts += broken_off(body) if final else []
        if not state.acts and not tail:
            state.acts += unplaced(body) or only_ordinary_size(body, cart, self._menu)
        if not final:
            if not tail and all(isinstance(act, Problem) for act in state.acts):
                tail = itemless_statement(mentions, cart, self._menu)
            state.acts[:0] = yes_or_no(mentions)
        acts = state.acts
        words = sum(len(s.text.split()) for s in spoken)
        began = final and any(p.cue(*_BEGINS) for p in body)
        if not (began or state.accepts_offer) and is_talk(
            acts, body, words, answering=bool(cart.choices)
        ):
            acts, tail = [Aside(ReasonCode.OFF_TOPIC, text_of(mentions))], ()
        unfinished = () if final else allergies.unfinished
        first = next((mention for mention in mentions if not mention.idle), None)
        return Parsed(
            acts=(*allergies.asides, *acts, *to_staff),
            mentions=tuple(mentions),
            incomplete=(*tail, *(Mention(span, MentionType.CUE) for span in unfinished)),
            continues=first is not None and first.cue(Cue.AND, Cue.ALSO, Cue.ADD),
            denies=first is not None and _denies(first, mentions),
            spans=tuple(spans),
            asked_about=state.asked_about,
        )

    def _mentions(self, spans: Sequence[Span], cart: CartView) -> list[Mention]:
        """Return the spans in their roles, with what the guest points at resolved."""
        names = self._menu.language.entities
        said = [s for i, s in enumerate(spans) if not s.filler or for_somebody(spans, i, names)]
        mentions = roles(with_shared_heads(said, self._menu), self._menu, cart.items)
        mentions = fill_choice(mentions, cart.offered, self._menu)
        mentions = name_the_same(mentions, cart.lines, self._menu)
        mentions = name_in_full(mentions, cart.items, self._menu)
        asked = cart.unsized is not None or bool(cart.choices)
        mentions = fold_descriptions(mentions, cart.lines, self._menu, answers=asked)
        return put_in_place(tell_apart(mentions, self._menu, cart.lines), cart.items)

    def _read(self, mentions: list[Mention], cart: CartView, waiting: int) -> ParseState:
        """Read commands where there are any, and assemble the words between them."""
        state = ParseState(self._menu, cart, asked_about=cart.about)
        index = count_before_pause(mentions, waiting, state)
        while index < len(mentions):
            end = read_command(mentions, index, state)
            if end is None:
                state.pending.append(mentions[index])
                end = index + 1
            index = end
        state.flush()
        return state


def _denies(first: Mention, mentions: Sequence[Mention]) -> bool:
    """Return whether the utterance begins with a lone "no", or takes back what was said."""
    alone = len(mentions) == 1 or any(p.cue(Cue.COMMA) for p in mentions[1:2])
    return first.cue(Cue.CORRECT) or (first.cue(Cue.DENY) and alone)
