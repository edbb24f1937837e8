"""The HTTP route that tells a kiosk what it can offer its guests."""

from __future__ import annotations

from pydantic import Field

from order_events.auth.roles import Action
from order_events.domain.api_models import Answer
from order_events.http.routes import Call, Nothing, route, routes_of
from voice_service.sessions.registry import SessionRegistry


class VoiceAnswer(Answer):
    """What guests may speak here.

    `languages` are ISO 639 codes that the loaded model hears and orders are understood in, the
    menu's own first. `spoken` are those in which the service has a voice of its own.
    """

    model: str
    languages: tuple[str, ...]
    spoken: tuple[str, ...] = Field(description="for `speak: audio` in `voice:start`")


class VoiceApi:
    """The request handler."""

    def __init__(self, sessions: SessionRegistry) -> None:
        self._sessions = sessions

    @route("GET", "/v1/voice", Action.VOICE, Nothing, VoiceAnswer)
    async def describe_voice(self, call: Call[Nothing]) -> VoiceAnswer:
        """Tell in which languages guests can order, and which the service can speak."""
        model, languages, spoken = await self._sessions.offers(call.principal.restaurant_id)
        return VoiceAnswer(model=model, languages=languages, spoken=spoken)


ROUTES = routes_of(VoiceApi)
"""The route that the voice service adds to `/v1` for kiosks."""
