"""Streaming speech recognition and order understanding, served over `/voice-stream`."""
