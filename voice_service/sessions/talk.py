"""The service's part in the talk of one session, as actions; and what of the audio is its own."""

from __future__ import annotations

from dataclasses import replace

from voice_service.ordering import CartUpdate
from voice_service.protocol import messages
from voice_service.sessions.actions import Action, Hush, Send, Speak
from voice_service.speech.echo import Echo
from voice_service.speech.prompts import Prompts, Say
from voice_service.utterances.events import Final


class Talk:
    """See the module. Without `prompts`, nothing is said.

    `language` is the tag of what is said. `voiced`: it is sent as sound, too. `aloud`: the client
    says it where the microphone may hear it.
    """

    def __init__(
        self,
        prompts: Prompts | None = None,
        language: str = "",
        *,
        voiced: bool = False,
        aloud: bool = False,
    ) -> None:
        self._prompts = prompts
        self._language = language
        self._voiced = voiced
        self._aloud = aloud
        self._echo = Echo()
        self._interrupted: str | None = None

    def greet(self, session_id: str, at_ms: int) -> list[Action]:
        """Begin the talk, `at_ms` into the session's audio."""
        return (
            [] if self._prompts is None else self._say(session_id, self._prompts.greeting(), at_ms)
        )

    def after(self, session_id: str, update: CartUpdate, at_ms: int) -> list[Action]:
        """Say what is to be said about the order as it is now."""
        say = None if self._prompts is None else self._prompts.after(update)
        return [] if say is None else self._say(session_id, say, at_ms)

    def over(self, say_id: str, at_ms: int) -> list[Action]:
        """Note that the client has said it, or has stopped saying it."""
        self._echo.ended(say_id, at_ms)
        return [Hush(say_id)]

    def interrupts(self, session_id: str, text: str, end_ms: int) -> list[Action]:
        """Fall silent if the guest speaks; what repeats the prompt is its echo.

        `text` is what was heard up to `end_ms`.
        """
        say_id = self._echo.interrupted_by(text, end_ms)
        if say_id is None or say_id == self._interrupted:
            return []
        self._interrupted = say_id
        data = {"session_id": session_id, "say_id": say_id}
        return [Hush(say_id), Send(messages.SAY_STOP, data)]

    def guests_part(self, final: Final) -> Final | None:
        """Return what of a final the guest has said; None if all of it is an echo."""
        heard = final.hypothesis
        if heard.words:
            times = [(word.start_ms, word.end_ms) for word in heard.words]
            echoed = self._echo.echoed([word.text for word in heard.words], times)
        else:
            echoed = self._echo.echoed(
                heard.text.split(), [(final.start_ms, final.end_ms)] * len(heard.text.split())
            )
        if not any(echoed):
            return final
        if all(echoed):
            return None
        if not heard.words:
            # Nothing says which words came when.
            return final
        own = tuple(w for w, again in zip(heard.words, echoed, strict=True) if not again)
        text = " ".join(word.text for word in own)
        return replace(final, hypothesis=replace(heard, text=text, words=own))

    def _say(self, session_id: str, say: Say, at_ms: int) -> list[Action]:
        if self._aloud:
            self._echo.began(say.id, say.text, at_ms)
        data = {
            "session_id": session_id,
            "say_id": say.id,
            "text": say.text,
            "language": self._language,
            "why": say.why,
            "audio": self._voiced,
        }
        said: list[Action] = [Send(messages.SAY, data)]
        return [*said, Speak(say.id, say.text)] if self._voiced else said
