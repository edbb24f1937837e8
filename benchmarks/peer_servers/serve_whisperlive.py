"""WhisperLive's server, whose wheel has no command: its defaults for a model of one's own.

    PYTHON serve_whisperlive.py --model FOLDER --port PORT

One model for all clients, as many clients as come, beam 1. Run by the Python of its environment.
"""

from __future__ import annotations

import argparse

from greedy import greedy
from whisper_live.server import TranscriptionServer
from whisper_live.transcriber.transcriber_faster_whisper import WhisperModel


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    greedy(WhisperModel)
    TranscriptionServer().run(
        "127.0.0.1",
        port=arguments.port,
        backend="faster_whisper",
        faster_whisper_custom_model_path=arguments.model,
        single_model=True,
        max_clients=10_000,
        max_connection_time=86_400,
    )


if __name__ == "__main__":
    main()
