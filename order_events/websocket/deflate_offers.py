"""Offers of permessage-deflate that a server must decline (RFC 7692, 7.1). Pure.

aiohttp accepts repeated parameters, a `server_max_window_bits` without a value, any value of
`client_max_window_bits`, and other extensions whose name contains this one's. Offers with unknown
parameters it declines itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_DEFLATE = "permessage-deflate"
_BITS = r"=([89]|1[0-5])"
_PARAMETERS = {
    "server_no_context_takeover": re.compile(""),
    "client_no_context_takeover": re.compile(""),
    "server_max_window_bits": re.compile(_BITS),
    "client_max_window_bits": re.compile(f"({_BITS})?"),
}


def sound(headers: Sequence[str]) -> bool:
    """Return whether every offer in these `Sec-WebSocket-Extensions` values may be accepted."""
    offers = [offer for value in headers for offer in value.split(",") if _DEFLATE in offer]
    return all(_sound(*(part.strip() for part in offer.split(";"))) for offer in offers)


def _sound(extension: str, *parameters: str) -> bool:
    named = [re.split(r"\s*(?==)", parameter, maxsplit=1) for parameter in parameters]
    names = [name for name, *_ in named]
    values_fit = all(
        name not in _PARAMETERS or _PARAMETERS[name].fullmatch("".join(value))
        for name, *value in named
    )
    return extension == _DEFLATE and len(names) == len(set(names)) and values_fit
