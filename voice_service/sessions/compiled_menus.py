"""The restaurants' menus, compiled for the languages of their guests and kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import structlog

from order_events.menu.menu import Menu
from order_events.service import OrderEvents
from voice_service.ordering import CompiledMenu
from voice_service.ordering.language.loader import understood
from voice_service.protocol.messages import tags_by_language

_log = structlog.get_logger(__name__)
_KEPT: Final = 64
"""Compiled menus that are cached."""


class CompiledMenus:
    """Compiles a menu once per version and order of languages."""

    def __init__(self, events: OrderEvents) -> None:
        self._events = events
        self._kept: OrderedDict[tuple[str, str], tuple[int, CompiledMenu]] = OrderedDict()

    async def spoken(self, restaurant_id: str, tags: str) -> dict[str, CompiledMenu]:
        """Return a restaurant's menu for each language of a guest that is understood.

        By ISO 639 code, in the order of `tags`. In each, what means several things is first taken
        as in that language. Empty if there is no menu, or none that fits.
        """
        versioned = await self._events.versioned_menu(restaurant_id)
        if versioned is None:
            return {}
        version, menu = versioned
        known = {code: tag for code, tag in tags_by_language(tags).items() if understood(code)}
        if not known:
            _log.warning("menu not usable", restaurant=restaurant_id, why=f"no pack for {tags!r}")
        compiled: dict[str, CompiledMenu] = {}
        for code in known:
            ordered = [code, *(other for other in known if other != code)]
            try:
                compiled[code] = await self._compiled(restaurant_id, version, menu, ordered)
            except ValueError as error:
                _log.warning("menu not usable", restaurant=restaurant_id, why=str(error))
                return {}
        return compiled

    async def _compiled(
        self, restaurant_id: str, version: int, menu: Menu, codes: Sequence[str]
    ) -> CompiledMenu:
        key = (restaurant_id, ",".join(codes))
        known = self._kept.get(key)
        if known is None or known[0] != version:
            known = (version, await asyncio.to_thread(CompiledMenu, menu, key[1]))
            self._kept[key] = known
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return known[1]
