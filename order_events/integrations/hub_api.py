"""The few requests to the server that integrations need."""

from __future__ import annotations

from typing import Any, Final

import aiohttp

from order_events.client.link import TokenSource, fresh
from order_events.integrations.orders import Order
from order_events.menu.menu import Menu

_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)
_PAGE: Final = 200


class HubError(Exception):
    """The server refused a request or did not answer. The message says why."""


class HubApi:
    """A server at `url`, with the rights of a token. Raises HubError."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: TokenSource) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._token = token

    async def order(self, order_id: str) -> Order | None:
        """Return an order, or None."""
        answer = await self._ask("GET", f"/v1/orders/{order_id}", missing=True)
        return None if answer is None else Order.model_validate(answer["order"])

    async def orders(self, status: str) -> list[Order]:
        """Return all orders in a status, the oldest first."""
        found: list[Order] = []
        before = None
        while True:
            query = {"status": status, "limit": str(_PAGE)}
            if before is not None:
                query["before"] = str(before)
            answer = await self._ask("GET", "/v1/orders", query=query)
            found += [Order.model_validate(each) for each in answer["orders"]]
            before = answer["before"]
            if before is None:
                return found[::-1]

    async def sold_out(self) -> dict[str, bool]:
        """Return the ids of the menu's items, and whether each is sold out."""
        answer = await self._ask("GET", "/v1/menu")
        return {item["id"]: item["sold_out"] for item in answer["menu"]["items"]}

    async def put_menu(self, menu: Menu) -> None:
        """Replace the menu."""
        await self._ask("PUT", "/v1/menu", menu.model_dump(mode="json"))

    async def set_sold_out(self, item_id: str, sold_out: bool) -> None:
        """Mark an item as sold out, or as available again; nothing if it is not on the menu."""
        path = f"/v1/menu/items/{item_id}"
        await self._ask("PATCH", path, {"sold_out": sold_out}, missing=True)

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        query: dict[str, str] | None = None,
        missing: bool = False,
    ) -> Any:
        """Return the answer; None for what is not there, if that may be."""
        headers = {"Authorization": f"Bearer {await fresh(self._token)}"}
        try:
            async with self._http.request(
                method, self._url + path, json=body, params=query, headers=headers, timeout=_TIMEOUT
            ) as answer:
                if answer.status == 404 and missing:
                    return None
                content = await answer.json()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise HubError(f"{method} {path}: no answer: {error}") from error
        if answer.status >= 400:
            why = content["error"]["message"] if isinstance(content, dict) else answer.reason
            raise HubError(f"{method} {path}: {why}")
        return content
