"""Notice a recogniser that is broken: decodes that hang, fail, or hear nothing where people speak.

On a GPU, a model can go on answering with empty texts. Noise alone has empty texts too, so many of
them are a suspicion only, and what confirms it is a recording of known speech: `asr.self_test`.
Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from voice_service.asr.hypothesis import DecodeRequest, Hypothesis

_FAILURES: Final = 3
"""Decodes that failed in a row, …"""
_EMPTY: Final = 20
"""… and finals in a row in which nothing was heard, that are suspicious …"""
_SPEECH_S: Final = 1.0
"""… if the detector heard speech for at least so many seconds."""


@dataclass(slots=True)
class _Answers:
    """What came of the requests of one kind."""

    failures: int = 0
    empty: int = 0
    trouble: str | None = None


class Watchdog:
    """Follows the answers of one recogniser. `trouble` says what is wrong with it, if anything.

    Quick and thorough requests are followed apart: each kind may have a model of its own.
    """

    def __init__(self) -> None:
        self._kinds = {False: _Answers(), True: _Answers()}
        self._hanging = 0

    @property
    def trouble(self) -> str | None:
        """Return what is wrong with the recogniser; if both kinds fail, with thorough requests."""
        if self._hanging:
            return (
                "speech recognition hangs: a decode does not come back; restart the service, and "
                "check the device if it happens again"
            )
        return self._kinds[True].trouble or self._kinds[False].trouble

    @property
    def suspicious(self) -> bool:
        """Return whether the recogniser should be tested; also while it is known to be broken."""
        kinds = self._kinds.values()
        return (
            any(kind.trouble is not None for kind in kinds)
            or sum(kind.failures for kind in kinds) >= _FAILURES
            or any(kind.empty >= _EMPTY for kind in kinds)
        )

    def given_up(self) -> None:
        """Note that a decode has not come back in time."""
        self._hanging += 1

    def came_back(self) -> None:
        """Note that a decode which was given up has come back."""
        self._hanging -= 1

    def answered(self, request: DecodeRequest, answer: Hypothesis | None) -> bool:
        """Take the answer to a session's request; None if decoding failed.

        Return whether nothing was heard in what the detector takes for speech.
        """
        kind = self._kinds[request.thorough]
        if answer is None:
            kind.failures += 1
            return False
        kind.failures = 0
        if answer.text:
            kind.empty = 0
            return False
        deaf = request.thorough and (request.speech_s or 0.0) >= _SPEECH_S
        kind.empty += deaf
        return deaf

    def tested(self, request: DecodeRequest, answer: Hypothesis | None) -> None:
        """Take the answer for a recording in which somebody speaks clearly; None if it failed."""
        kind = self._kinds[request.thorough]
        if answer is not None and answer.text:
            kind.trouble, kind.failures, kind.empty = None, 0, 0
        elif answer is None:
            kind.trouble = (
                "speech recognition fails, also for a test recording; see the log for the error, "
                "and restart the service"
            )
        else:
            kind.trouble = (
                "speech recognition hears nothing, not even in a test recording; restart the "
                "service, and check the device and --compute-type if it happens again"
            )
