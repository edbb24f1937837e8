"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# An example may take any time: beside other work, the same one takes ten times as long.
settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")
