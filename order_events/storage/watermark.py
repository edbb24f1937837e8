"""A note, beside the database, of how far history has come, so that a loss is noticed.

A database restored from a backup, or one that lost its WAL, looks sound but is behind what clients
have received. The note is written after each commit and synced at the start alone. After a loss of
power it may be behind the database, but it is never ahead of it unless history was lost.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

WATERMARK_FILE = "watermark"
_LENGTH = 64
"""Size of the note in bytes; fixed, so that it can be rewritten on a full disk."""


class Watermark:
    """The note in a data directory: an epoch, and how many events were ever appended."""

    def __init__(self, data_dir: Path) -> None:
        self._handle = os.open(data_dir / WATERMARK_FILE, os.O_RDWR | os.O_CREAT, 0o600)

    def read(self) -> tuple[str, int] | None:
        """Return what was noted, or None if nothing was or it cannot be read."""
        words = os.pread(self._handle, _LENGTH, 0).decode("ascii", "replace").split()
        if len(words) == 2 and words[1].isdecimal():
            return words[0], int(words[1])
        return None

    def write(self, epoch: str, events: int) -> None:
        """Note how far history has come."""
        # Orders do not depend on the note: without it, only a loss would go unnoticed.
        with contextlib.suppress(OSError):
            os.pwrite(self._handle, f"{epoch} {events}".ljust(_LENGTH).encode("ascii"), 0)

    def sync(self) -> None:
        """Bring the note to the disk, so that a loss of power leaves one that can be read."""
        with contextlib.suppress(OSError):
            os.fsync(self._handle)

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)
