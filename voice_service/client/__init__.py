"""A client of `/voice-stream` that streams audio as a microphone would, over lost connections."""
