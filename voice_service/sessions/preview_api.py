"""The HTTP API with which an owner tries a menu: what guests may say, and how it is understood."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from order_events.auth.roles import Action
from order_events.domain.api_models import Answer
from order_events.domain.drafts import Draft
from order_events.http.routes import Call, route, routes_of
from order_events.menu.menu import Menu
from order_events.protocol.errors import InvalidOrder, NotFound
from order_events.protocol.messages import ErrorCode
from order_events.service import OrderEvents
from voice_service.ordering import CompiledMenu, Conversation, Heard, Thresholds
from voice_service.ordering.dialogue.readback import describe

MOST_UTTERANCES = 20
"""Most utterances of one preview: each takes some milliseconds of one core."""
_AT_ONCE = 2
"""Previews that are worked out at the same time; compiling a large menu takes seconds."""


class PreviewDraft(Draft):
    """What guests might say, each as a conversation of its own.

    `menu` is the menu to try; absent: the one in use. `language` is that of the guests (BCP 47, or
    several with commas between); absent: that of the menu.
    """

    says: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=300)], ...],
        Field(max_length=MOST_UTTERANCES),
    ] = ()
    menu: Menu | None = None
    language: Annotated[str, Field(min_length=1, max_length=100)] | None = None


class PreviewReason(Answer):
    """A reason of `voice:order`."""

    code: str
    text: str
    question: str | None


class Understood(Answer):
    """How an utterance is understood: the order's `lines` as they are read back, and the rest."""

    text: str
    status: str
    lines: tuple[str, ...]
    readback: str
    reasons: tuple[PreviewReason, ...]


class SpokenNames(Answer):
    """What guests may call an item. Plurals, spellings and short forms come by themselves."""

    id: str
    names: tuple[str, ...]


class PreviewAnswer(Answer):
    """What is understood of each utterance, and what guests may call each item."""

    understood: tuple[Understood, ...]
    names: tuple[SpokenNames, ...]


class PreviewApi:
    """The request handler. It raises OrderError."""

    def __init__(self, events: OrderEvents, thresholds: Thresholds) -> None:
        self._events = events
        self._thresholds = thresholds
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @route(
        "POST",
        "/v1/menu/preview",
        Action.CHANGE_MENU,
        PreviewDraft,
        PreviewAnswer,
        errors=(ErrorCode.NOT_FOUND, ErrorCode.INVALID_ORDER),
        body_bytes="http_body_bytes",
    )
    async def preview_menu(self, call: Call[PreviewDraft]) -> PreviewAnswer:
        """Try what guests may say, and how it is understood, with a menu before it is published."""
        asked = call.body
        menu = asked.menu or await self._events.menu(call.principal.restaurant_id)
        if menu is None:
            raise NotFound("the restaurant has no menu")
        async with self._turns:
            return await asyncio.to_thread(
                preview, menu, asked.language, asked.says, self._thresholds
            )


def preview(
    source: Menu, language: str | None, says: Sequence[str], thresholds: Thresholds
) -> PreviewAnswer:
    """Return what is understood of each utterance; raise InvalidOrder for an unknown language."""
    try:
        menu = CompiledMenu(source, language)
    except ValueError as error:
        raise InvalidOrder(f"language: {error}") from error
    return PreviewAnswer(
        understood=tuple(_understood(menu, text, thresholds) for text in says),
        names=tuple(
            SpokenNames(id=item.id, names=(item.name, *item.aliases)) for item in menu.menu.items
        ),
    )


def _understood(menu: CompiledMenu, text: str, thresholds: Thresholds) -> Understood:
    update = Conversation(menu, thresholds).hear(Heard(1, text, 1.0))
    return Understood(
        text=text,
        status=update.status,
        lines=tuple(describe(item, menu) for item in update.items),
        readback=update.readback,
        reasons=tuple(
            PreviewReason(code=reason.code, text=reason.text, question=reason.question)
            for reason in update.reasons
        ),
    )


ROUTES = routes_of(PreviewApi)
