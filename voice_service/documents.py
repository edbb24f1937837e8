"""`python -m voice_service.documents DIR` writes the service's openapi.json and asyncapi.json.

They contain the default settings. A running server serves them with its own, at `/v1/openapi.json`
and `/v1/asyncapi.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from order_events.http.api import ROUTES
from order_events.specs import asyncapi, openapi
from voice_service.protocol.payloads import CHANNELS
from voice_service.sessions import preview_api, voice_api
from voice_service.settings import VoiceSettings


def documents() -> dict[str, str]:
    """Return the text of each document by its file name."""
    # Without the environment: the documents in the repository have the defaults.
    defaults = VoiceSettings.model_construct()
    routes = (*ROUTES, *preview_api.ROUTES, *voice_api.ROUTES)
    return {
        "openapi.json": _text(openapi.document(routes, defaults)),
        "asyncapi.json": _text(asyncapi.document(CHANNELS, defaults)),
    }


def main(arguments: Sequence[str]) -> int:
    """Write the documents; return the exit status, 2 for wrong usage."""
    if len(arguments) != 1:
        print("usage: python -m voice_service.documents DIR", file=sys.stderr)
        return 2
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (directory / name).write_text(text, encoding="utf-8")
    return 0


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
