"""Beam 1 for servers that have no option for the beam of faster-whisper."""

from __future__ import annotations

import functools
from typing import Any


def greedy(model: Any) -> None:
    """Make this class use beam 1, whatever its caller asks for: both peers ask for 5."""
    transcribe = model.transcribe

    @functools.wraps(transcribe)
    def with_beam_1(*args: Any, **options: Any) -> Any:
        return transcribe(*args, **{**options, "beam_size": 1})

    model.transcribe = with_beam_1
