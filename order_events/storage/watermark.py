"""How far history had come, noted beside the database: so a lost piece of it is noticed.

A database put back from a backup, or one whose WAL was lost, looks sound but is behind what clients
have been told. The note is written after each commit and not synced: it may be behind the database,
after a loss of power, but is never ahead of it unless history was lost.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

WATERMARK_FILE = "watermark"
_LENGTH = 64
"""Bytes of the note, always the same, so that a full disk does not hinder it."""


class Watermark:
    """The note in a data directory: an epoch, and how many events have ever been appended."""

    def __init__(self, data_dir: Path) -> None:
        self._handle = os.open(data_dir / WATERMARK_FILE, os.O_RDWR | os.O_CREAT, 0o600)

    def read(self) -> tuple[str, int] | None:
        """What was noted; None if nothing was, or it cannot be read."""
        words = os.pread(self._handle, _LENGTH, 0).decode("ascii", "replace").split()
        if len(words) == 2 and words[1].isdecimal():
            return words[0], int(words[1])
        return None

    def write(self, epoch: str, events: int) -> None:
        """Notes how far history has come."""
        # Without the note only a loss would go unnoticed; orders do not depend on it.
        with contextlib.suppress(OSError):
            os.pwrite(self._handle, f"{epoch} {events}".ljust(_LENGTH).encode("ascii"), 0)

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._handle)
