"""Automatic speech recognition: scheduling, batching and decoding with Whisper."""
