"""Options of the command line: values that are refused before anything starts."""

from __future__ import annotations

import pytest

from voice_service.cli import main


@pytest.mark.parametrize("command", [["mic"], ["stream", "a.wav"]])
@pytest.mark.parametrize("chunk_ms", ["20", "59", "1401", "2000", "-100", "long"])
def test_chunks_that_the_protocol_cannot_carry_are_refused(
    command: list[str], chunk_ms: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Too many messages a minute, or too large ones, are wrong usage, reported before anything
    starts.
    """
    with pytest.raises(SystemExit) as exited:
        main([*command, "--token", "t", "--chunk-ms", chunk_ms])
    assert exited.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert "--chunk-ms" in last
    assert "60" in last
    assert "1400" in last


def test_chunks_from_the_environment_are_checked_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """People also mistype `VOICE_CHUNK_MS`."""
    monkeypatch.setenv("VOICE_CHUNK_MS", "20")
    with pytest.raises(SystemExit) as exited:
        main(["mic", "--token", "t"])
    assert exited.value.code == 2
    assert "--chunk-ms" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [["--shuffle", "0"], ["--drop", "1.5"], ["--speed", "-1"], ["--speed", "nan"]]
)
def test_numbers_that_mean_nothing_are_refused(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """They must not cause a traceback where they are used."""
    with pytest.raises(SystemExit) as exited:
        main(["stream", "a.wav", "--token", "t", *option])
    assert exited.value.code == 2
    assert option[0] in capsys.readouterr().err.splitlines()[-1]
