"""`whisperlivekit-server` with beam 1; takes its options. Run by the Python of its environment."""

from __future__ import annotations

from faster_whisper import WhisperModel
from greedy import greedy
from whisperlivekit.basic_server import main

greedy(WhisperModel)
main()
