"""Notice a recogniser that has gone deaf: decodes that fail, or hear nothing where people speak.

On a GPU, a model can go on answering with empty texts. Noise alone has empty texts too, so many of
them are a suspicion only, and what confirms it is a recording of known speech: `asr.self_test`.
Pure.
"""

from __future__ import annotations

from typing import Final

from voice_service.asr.hypothesis import DecodeRequest, Hypothesis

_FAILURES: Final = 3
"""Decodes that failed in a row, …"""
_EMPTY: Final = 20
"""… and finals in a row in which nothing was heard, that are suspicious …"""
_SPEECH_S: Final = 1.0
"""… if the detector heard speech for at least so many seconds."""


class Watchdog:
    """Follows the answers of one recogniser. `trouble` says what is wrong with it, if anything."""

    def __init__(self) -> None:
        self.trouble: str | None = None
        self._failures = 0
        self._empty = 0

    @property
    def suspicious(self) -> bool:
        """Return whether the recogniser should be tested; also while it is known to be broken."""
        return self.trouble is not None or self._failures >= _FAILURES or self._empty >= _EMPTY

    def answered(self, request: DecodeRequest, answer: Hypothesis | None) -> bool:
        """Take the answer to a session's request; None if decoding failed.

        Return whether nothing was heard in what the detector takes for speech.
        """
        if answer is None:
            self._failures += 1
            return False
        self._failures = 0
        if answer.text:
            self._empty = 0
            return False
        deaf = request.thorough and (request.speech_s or 0.0) >= _SPEECH_S
        self._empty += deaf
        return deaf

    def tested(self, answer: Hypothesis | None) -> None:
        """Take the answer for a recording in which somebody speaks clearly; None if it failed."""
        if answer is not None and answer.text:
            self.trouble, self._failures, self._empty = None, 0, 0
        elif answer is None:
            self.trouble = (
                "speech recognition fails, also for a test recording; see the log for the error, "
                "and restart the service"
            )
        else:
            self.trouble = (
                "speech recognition hears nothing, not even in a test recording; restart the "
                "service, and check the device and --compute-type if it happens again"
            )
