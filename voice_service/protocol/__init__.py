"""The messages of `/voice-stream`."""
