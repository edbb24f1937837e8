"""The commands that stream audio: their level meter and their messages."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from voice_service.cli import main
from voice_service.commands.microphone import meter


@pytest.mark.parametrize(
    ("level", "filled"), [(0.0, 0), (1.0, 30), (10 ** (-30 / 20), 15), (1e-9, 0)]
)
def test_the_meter_shows_decibels(level: float, filled: int) -> None:
    """An empty bar shows that the microphone is dead."""
    bar = meter(np.full(160, level, np.float32))
    assert bar.count("#") == filled
    assert len(bar.split("]")[0]) == 31
    assert meter(np.zeros(0, np.float32)).count("#") == 0


@pytest.mark.parametrize("chunk_ms", ["60", "1400"])
@pytest.mark.parametrize("fault", ["ImportError('no module')", "OSError('PortAudio not found')"])
def test_mic_says_what_to_install(
    chunk_ms: str,
    fault: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The extra, and the library that pip cannot install; the shortest and longest chunk are
    accepted.
    """
    (tmp_path / "sounddevice.py").write_text(f"raise {fault}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    assert main(["mic", "--token", "t", "--chunk-ms", chunk_ms]) == 1
    message = capsys.readouterr().err
    assert "voice-ordering[mic]" in message
    assert "libportaudio2" in message
